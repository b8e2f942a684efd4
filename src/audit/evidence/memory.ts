import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { Failure, messageOf } from '../../core/failure.ts'
import { giveToOwnerOfDirectory } from '../../lib/files/owner.ts'
import { readAtOnce } from '../../lib/files/read-at-once.ts'

const linkSchema = z.strictObject({ number: z.int(), hash: z.string() })

/** A checkpoint by its number and hash. */
export type Link = z.output<typeof linkSchema>

const memorySchema = z.strictObject({
  /** The checkpoint that was signed last and is known to be in the store; null before the first. */
  last: linkSchema.nullable(),
  /** One that was signed after it and of which it is not known whether the store has it. */
  next: linkSchema.nullable(),
})

/** What the signer knows of its own work without asking the store. */
export type Memory = z.output<typeof memorySchema>

/** Undefined where nothing was signed yet. `CONFIG_INVALID` when it cannot be read: then nothing may be signed. */
export function readMemory(file: string): Memory | undefined {
  try {
    return memorySchema.parse(JSON.parse(readAtOnce(file)))
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw unusable(file, 'read', cause)
  }
}

/** Writes it as a whole and to the disk: after a crash the file says this, or what it said before. */
export function writeMemory(file: string, memory: Memory): void {
  const made = `${file}.new`
  try {
    writeFileSync(made, `${JSON.stringify(memory)}\n`, { mode: 0o600, flush: true })
    giveToOwnerOfDirectory(made)
    renameSync(made, file)
    flushDirectory(dirname(file))
  } catch (cause) {
    throw unusable(file, 'written', cause)
  }
}

/** Windows opens no directory; there the rename is as durable as it gets. */
function flushDirectory(dir: string): void {
  if (process.platform === 'win32') return
  const fd = openSync(dir, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

const unusable = (file: string, done: string, cause: unknown) =>
  new Failure({
    code: 'CONFIG_INVALID',
    message: `What was signed last cannot be ${done} in ${file}: ${messageOf(cause)}.`,
    cure: 'Name a file with evidence.memoryFile that this user may write, that outlives the process, and that nobody can write who writes the store.',
    cause,
  })
