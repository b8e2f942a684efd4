import { z } from 'zod'

/** Who can read the files that are written for people. Nobody but their owner can change them. */
export const readableBySchema = z.enum(['owner', 'group'])
export type ReadableBy = z.output<typeof readableBySchema>

/** Modes of a file and of a directory, whatever the umask is. */
export const modesOf = (by: ReadableBy): { file: number; dir: number } =>
  by === 'group' ? { file: 0o640, dir: 0o750 } : { file: 0o600, dir: 0o700 }
