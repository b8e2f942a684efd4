import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { createTwoFilesPatch } from 'diff'
import { stringify } from 'yaml'
import { z } from 'zod'
import { messageOf } from '../core/failure.ts'
import { parseYaml, showIssue } from '../lib/yaml/file.ts'

/** Key in a lock file, among the tools of a server, for the digest of what the server says of itself. */
export const INSTRUCTIONS = '(instructions)'

/** A tool as it was when the job was pinned: what a reviewer reads, and the digest that a run compares. */
export interface PinnedTool {
  server: string
  tool: string
  digest: string
  definition: Record<string, unknown>
}

const lockSchema = z.strictObject({
  tools: z.record(
    z.string(),
    z.record(
      z.string(),
      z.strictObject({
        digest: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'is not a digest'),
        definition: z.record(z.string(), z.unknown()),
      }),
    ),
  ),
})

/** The lock file of a job file: `jobs/report.yaml` → `jobs/report.lock.yaml`. */
export const lockFileOf = (jobFile: string) => jobFile.replace(/\.ya?ml$/, '.lock.yaml')

export type Lock = { ok: true; pinned: Record<string, Record<string, string>> } | { ok: false; issue: string }

/** Of a lock file, which holds the definitions of tools: those of some thousand. */
const MAX_PARTS = 300_000

/** Reads the digests that a job with `pin: true` is held to. */
export function readLock(jobFile: string): Lock {
  const file = lockFileOf(jobFile)
  let text: string
  try {
    if (!statSync(file).isFile()) throw new Error('it is not a file')
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const why = error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'there is none' : messageOf(error)
    return {
      ok: false,
      issue: `${jobFile}:1: pin is true, which needs the lock file ${file}: ${why}; write it with nightshift jobs pin ${basename(jobFile).replace(/\.ya?ml$/, '')}, or take pin out`,
    }
  }
  const parsed = parseYaml(text, lockSchema, { maxParts: MAX_PARTS })
  if (!parsed.ok)
    return {
      ok: false,
      issue: `${parsed.issues.map((issue) => showIssue(file, issue)).join('\n')}; write it again with nightshift jobs pin`,
    }
  const digests = Object.entries(parsed.value.tools).map(
    ([server, tools]) => [server, Object.fromEntries(Object.entries(tools).map(([tool, { digest }]) => [tool, digest]))] as const,
  )
  return { ok: true, pinned: Object.fromEntries(digests) }
}

const HEAD =
  '# Written by nightshift jobs pin. Review what changed, then commit it; a run fails with TOOL_CHANGED when a tool is not as it stands here.\n'

/** Writes the lock file, and returns the difference from what it was; empty when nothing changed. */
export function writeLock(jobFile: string, tools: readonly PinnedTool[]): string {
  const file = lockFileOf(jobFile)
  const content: Record<string, Record<string, { digest: string; definition: Record<string, unknown> }>> = {}
  const sorted = tools.toSorted((a, b) => `${a.server}\0${a.tool}`.localeCompare(`${b.server}\0${b.tool}`))
  for (const { server, tool, digest, definition } of sorted) content[server] = { ...content[server], [tool]: { digest, definition } }
  const after = HEAD + stringify({ tools: content }, { lineWidth: 0, sortMapEntries: true, aliasDuplicateObjects: false })
  let before = ''
  try {
    before = readFileSync(file, 'utf8')
  } catch {
    before = ''
  }
  if (before === after) return ''
  writeFileSync(file, after)
  return createTwoFilesPatch(file, file, before, after, before === '' ? 'none' : 'pinned', 'now')
}
