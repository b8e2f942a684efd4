// @ts-nocheck
import { createHash } from 'node:crypto'

const MAX_LENGTH = 64
const HASH_LENGTH = 8

/**
 * The model's name of a tool: `server__tool` in `[A-Za-z0-9_-]{1,64}`. When that would be too long or could be read as another pair, it is
 * trimmed and ends in a hash. It follows from the pair alone, so it does not change with the other servers of a job.
 */
export function modelToolName(server: string, tool: string): string {
  const plain = `${server}__${tool}`
  if (
    plain.length <= MAX_LENGTH &&
    /^[A-Za-z0-9_-]+$/.test(plain) &&
    !server.includes('__') &&
    !tool.includes('__') &&
    !server.endsWith('_') &&
    !tool.startsWith('_')
  )
    return plain
  const hash = createHash('sha256').update(`${server}\0${tool}`).digest('hex').slice(0, HASH_LENGTH)
  return `${plain.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, MAX_LENGTH - HASH_LENGTH - 1)}_${hash}`
}
