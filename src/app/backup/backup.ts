import { createWriteStream, existsSync, lstatSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import type { Config } from '../../config/load.ts'
import { Failure, messageOf } from '../../core/failure.ts'
import { keyFiles } from './beside.ts'
import { VERSION } from '../../lib/version.ts'
import { dumpStore } from '../../store/postgres/backup/dump.ts'
import { startEmbeddedPostgres } from '../../store/postgres/embedded/server.ts'

export interface BackupOptions {
  config: Config
  file: string
  signal: AbortSignal
}

export interface BackedUp {
  /** The moment of which it is. */
  takenAt: string
  /** Of the store: the latest migration. */
  schema: number
  runs: number
  rows: number
  bytes: number
  /** Files that belong to the deployment and are not in it. */
  beside: string[]
}

/**
 * Writes what the embedded store has into a file that its owner alone can read, while Nightshift is at work. A file of that name is replaced once the new one is whole
 * and on the disk. `COMMAND_INVALID`, with the command to use, where the store is a Postgres of one's own.
 */
export async function backUp({ config, file, signal }: BackupOptions): Promise<BackedUp> {
  const { databaseUrl, dataDir, evidence } = config
  if (databaseUrl !== undefined) throw ownPostgres(databaseUrl, file)
  await using stack = new AsyncDisposableStack()
  const embedded = await startEmbeddedPostgres({ dir: join(dataDir, 'postgres') })
  stack.defer(() => embedded.stop())
  const { head, rows } = await written(file, (sink) => dumpStore({ url: embedded.url, program: VERSION, sink, signal }))
  return {
    takenAt: head.takenAt,
    schema: head.schema,
    runs: rows['runs'] ?? 0,
    rows: Object.values(rows).reduce((sum, n) => sum + n, 0),
    bytes: statSync(file).size,
    beside: keyFiles(evidence).filter((one) => existsSync(one)),
  }
}

/** Gives `write` the file under another name, and its own name when it is whole. What is no file, such as /dev/stdout, is written as it is. */
async function written<T>(file: string, write: (sink: Writable) => Promise<T>): Promise<T> {
  const found = lstatSync(file, { throwIfNoEntry: false })
  const isFile = found === undefined || found.isFile()
  const part = isFile ? `${file}.part` : file
  if (isFile) rmSync(part, { force: true })
  const sink = createWriteStream(part, { flags: isFile ? 'wx' : 'w', mode: 0o600, flush: isFile })
  let refused: Error | undefined
  sink.on('error', (error) => (refused = error))
  try {
    const result = await write(sink)
    if (isFile) renameSync(part, file)
    return result
  } catch (error) {
    if (isFile) rmSync(part, { force: true })
    if (refused === undefined || refused.name === 'AbortError') throw error
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The backup cannot be written into ${part}: ${messageOf(refused)}.`,
      cure: 'Name a file in a directory that is there, that this user may write to, and that has room.',
      cause: error,
    })
  }
}

/** The address as a program of Postgres takes it, without its password. */
export function addressOf(databaseUrl: string): string {
  const url = new URL(databaseUrl)
  url.password = ''
  return `'${url.href.replaceAll("'", "'\\''")}'`
}

const ownPostgres = (databaseUrl: string, file: string) =>
  new Failure({
    code: 'COMMAND_INVALID',
    message: 'The store is a Postgres of your own, and its own tools back it up.',
    cure: `Use: pg_dump --format=custom --no-owner --file='${file.replaceAll("'", "'\\''")}' ${addressOf(databaseUrl)}`,
  })
