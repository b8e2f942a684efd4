import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { Failure, messageOf } from '../../../core/failure.ts'
import { ALL_JOBS } from '../../../core/rules/schedules/pause.ts'
import { sqlStateOf } from '../faults.ts'
import { LOCK_KEY } from '../migrate.ts'
import { BackupFault, copyOf, readMark, type BackupEnd, type BackupTable } from './format.ts'
import type { OpenBackup } from './open.ts'
import { withLongSession, type Silence } from './session.ts'
import { listTables } from './tables.ts'

/** SQLSTATE classes of rows that are not as their table wants them. */
const IN_THE_ROWS = /^2[23]/

export interface LoadOptions {
  url: string
  /** Of which the first line was read. */
  backup: Pick<OpenBackup, 'text' | 'silence'>
  /** Why everything is paused afterwards, and who is said to have paused it. */
  pause: { reason: string; by: string }
}

/** What came into the store. */
export interface Loaded {
  rows: Readonly<Record<string, number>>
  /** Runs that are not over. */
  open: number
}

/**
 * Puts the rows of a backup into a store that is empty and has the backup's own version, all or none of them. Everything is paused then, no run is any worker's, and no fire
 * of the past is due: whoever was at work may have gone on after the backup. A `BackupFault` when the text is no whole backup; `COMMAND_INVALID` when the store is not empty.
 */
export async function loadStore({ url, backup: { text, silence }, pause }: LoadOptions): Promise<Loaded> {
  return withLongSession(url, async (client) => {
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock($1)', [LOCK_KEY])
    const tables = await listTables(client)
    await requireEmpty(client, tables)
    const change = (what: string) =>
      client.query(tables.map(({ name }) => `alter table ${client.escapeIdentifier(name)} ${what} trigger user`).join('; '))
    // Rows come as they were, and nothing follows from that.
    await change('disable')
    const rows: Record<string, number> = {}
    for (;;) {
      const line = await text.line()
      if (line === undefined) throw new BackupFault('it ends before its last line')
      const mark = readMark(line)
      if ('end' in mark) {
        await finish(client, tables, rows, mark.end)
        break
      }
      const table = known(tables, mark.table)
      if ((await text.line()) !== `${copyOf(mark.table, 'from stdin')};`)
        throw new BackupFault(`its rows of ${table.name} are not announced`)
      const copy = client.query(copyFrom(copyOf(mark.table, 'from stdin')))
      await pipeline(beating(text.rows(), silence), copy, { signal: silence.signal }).catch((error: unknown) => {
        throw IN_THE_ROWS.test(sqlStateOf(error) ?? '') ? new BackupFault(`in ${table.name}: ${messageOf(error)}`, { cause: error }) : error
      })
      rows[table.name] = copy.rowCount
    }
    await change('enable')
    const open = await letGo(client, pause)
    await client.query('commit')
    await client.query('analyze')
    return { rows, open }
  })
}

async function* beating(pieces: AsyncIterable<Buffer>, silence: Silence): AsyncGenerator<Buffer> {
  // oxlint-disable-next-line waits/bounded -- the pipeline ends it, by the signal of the silence
  for await (const piece of pieces) {
    silence.beat()
    yield piece
  }
}

async function requireEmpty(client: pg.Client, tables: readonly BackupTable[]): Promise<void> {
  // From now on nobody else writes: a process that is at work would.
  await client.query(`lock table ${tables.map(({ name }) => client.escapeIdentifier(name)).join(', ')} in access exclusive mode`)
  const { rows } = await client.query<{ name: string }>(
    tables
      .map(({ name }) => `select ${client.escapeLiteral(name)} as name where exists (select from ${client.escapeIdentifier(name)})`)
      .join(' union all '),
  )
  if (rows.length > 0)
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The store is not empty (${rows.map(({ name }) => name).join(', ')}), and nothing is put over what is there.`,
      cure: 'Stop Nightshift, and move the directory postgres under dataDir away; or name an empty database with databaseUrl.',
    })
}

function known(tables: readonly BackupTable[], { name, columns }: BackupTable): BackupTable {
  const table = tables.find((one) => one.name === name)
  const [mine, given] = [table?.columns.toSorted(), columns.toSorted()]
  if (!table || JSON.stringify(mine) !== JSON.stringify(given))
    throw new BackupFault(`its table ${name} is not the one of its version of the store`)
  return table
}

async function finish(
  client: pg.Client,
  tables: readonly BackupTable[],
  rows: Readonly<Record<string, number>>,
  end: BackupEnd,
): Promise<void> {
  for (const { name } of tables)
    if (rows[name] === undefined || rows[name] !== end.rows[name])
      throw new BackupFault(`of its table ${name} ${rows[name] ?? 'no'} rows came, and it says ${end.rows[name] ?? 'nothing'}`)
  for (const { table, column, last } of end.sequences)
    await client.query('select setval(pg_get_serial_sequence(quote_ident($1), $2), $3)', [table, column, last])
}

/** Holds what is not over. Returns how many runs that are. */
async function letGo(client: pg.Client, { reason, by }: LoadOptions['pause']): Promise<number> {
  await client.query(
    `with freed as (update runs set status = 'queued' where status = 'running' returning id)
     update attempts set status = 'lost', finished_at = clock_timestamp(),
       failure = json_build_object('code', 'WORKER_LOST', 'message', 'The store was restored from a backup.', 'retry', 'later')
     where run_id in (select id from freed) and finished_at is null`,
  )
  // Fires since then were decided by whoever was at work; a person may make up for them.
  await client.query('update schedule_progress set decided_until = greatest(decided_until, now())')
  await client.query(
    `insert into pauses (job, reason, paused_by) values ($1, $2, $3)
     on conflict (job) do update set reason = excluded.reason, paused_by = excluded.paused_by, paused_at = now()`,
    [ALL_JOBS, reason, by],
  )
  const { rows } = await client.query<{ open: number }>('select count(*)::int as open from runs where finished_at is null')
  return rows[0]?.open ?? 0
}
