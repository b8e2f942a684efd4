import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress } from 'node:zlib'
import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { Failure } from '../../../core/failure.ts'
import { LOCK_KEY } from '../migrate.ts'
import { copyOf, endLine, headLine, LAST_ROW, tableLines, type BackupEnd, type BackupHead, type BackupTable } from './format.ts'
import { endOnSilence, withLongSession } from './session.ts'
import { listSequences, listTables } from './tables.ts'

export interface DumpOptions {
  url: string
  /** The version of this program. */
  program: string
  /** Takes the file. It is ended when all is written. */
  sink: Writable
  signal: AbortSignal
}

export interface Dumped extends BackupEnd {
  head: BackupHead
}

/**
 * Writes all that a store has, as it was at one moment, while others go on to work with it. A migration waits until it is over. `COMMAND_INVALID` for a database that
 * no Nightshift has migrated.
 */
export async function dumpStore({ url, program, sink, signal }: DumpOptions): Promise<Dumped> {
  using silence = endOnSilence(signal)
  return withLongSession(url, async (client) => {
    // Of the session, and before the snapshot: no step is done between that and the rows.
    const { rows: locks } = await client.query<{ got: boolean }>('select pg_try_advisory_lock_shared($1) as got', [LOCK_KEY])
    if (!locks[0]?.got) throw new Failure({ code: 'STORE_UNAVAILABLE', message: 'Another process is migrating the store just now.' })
    await client.query('begin isolation level repeatable read read only')
    const { tables, ...about } = await lockTables(client)
    const head: BackupHead = { format: 1, program, ...about }
    const rows: Record<string, number> = {}

    async function* text(): AsyncGenerator<string | Buffer> {
      yield headLine(head)
      for (const table of tables) {
        yield tableLines(table)
        const copy = client.query(copyTo(copyOf(table, 'to stdout')))
        // oxlint-disable-next-line waits/bounded -- the pipeline ends it, by its signal
        for await (const chunk of copy) {
          silence.beat()
          yield chunk
        }
        rows[table.name] = copy.rowCount
        yield `${LAST_ROW}\n`
      }
      yield endLine({ rows, sequences })
    }
    const sequences = await listSequences(client)
    const packed = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } })
    await pipeline(Readable.from(text(), { objectMode: false }), packed, sink, { signal: silence.signal })
    await client.query('commit')
    return { head, rows, sequences }
  })
}

/** Keeps the form of every table until the transaction is over, and says which there are. */
async function lockTables(client: pg.Client): Promise<{ tables: BackupTable[]; schema: number; takenAt: string }> {
  const tables = (await client.query<{ there: boolean }>("select to_regclass('migrations') is not null as there")).rows[0]?.there
    ? await listTables(client)
    : []
  if (tables.length === 0)
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: 'The store is empty: no Nightshift has worked with it.',
      cure: 'Name the configuration of the one that has, with --config.',
    })
  await client.query(`lock table ${tables.map(({ name }) => client.escapeIdentifier(name)).join(', ')} in access share mode`)
  const { rows } = await client.query<{ schema: number; takenAt: Date }>(
    'select max(version)::int as schema, now() as "takenAt" from migrations',
  )
  return { tables, schema: rows[0]?.schema ?? 0, takenAt: (rows[0]?.takenAt ?? new Date()).toISOString() }
}
