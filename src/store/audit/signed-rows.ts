import type pg from 'pg'
import { asDecided } from '../../core/rules/join/unreported.ts'
import { query, slowTransaction, snapshot, type Db } from '../postgres/db.ts'
import { KEPT_4, LINE_COLUMNS, RUN_TABLES, RUN_TABLES_3, VERSION_COLUMNS, type TableRule } from './row-rules.ts'

/** A row as text, column by column, the same on every host. */
export type TextRow = Readonly<Record<string, string | null>>

/** All rows of a run that a checkpoint is about. */
export interface RunRows {
  tables: Readonly<Record<string, readonly TextRow[]>>
  versions: readonly TextRow[]
}

/** Times, numbers and lists are written by these settings, whatever those of the server are. */
export const SETTINGS = "set local timezone = 'UTC'; set local datestyle = 'ISO, MDY'; set local extra_float_digits = 1"

export const columnsOf = ({ kept, content = [], open, state = [] }: TableRule): string[] => [
  ...kept,
  ...content,
  ...(open?.columns ?? []),
  ...state,
]

/** Of the run itself also what is emptied, moved to an attempt, or kept of its end when that stands otherwise since. */
const MOVED = ['retry_of', 'output', 'output_text', 'ending', 'mended', 'pruned_at', 'ended_as']

export const asText = (columns: readonly string[]) => columns.map((name) => `t.${name}::text as ${name}`).join(', ')

/** The rows of runs, as they are at one moment; of those that there are. */
export async function loadRunRows(db: Db, ids: readonly string[]): Promise<Map<string, RunRows>> {
  return snapshot(db, async (client) => {
    await client.query(SETTINGS)
    const tables: Record<string, Map<string, TextRow[]>> = {}
    for (const [table, rule] of Object.entries({ ...RUN_TABLES, ...RUN_TABLES_3 }))
      tables[table] = await loadTable(client, table, rule, ids)
    const versions = await query<Record<string, string | null>>(
      client,
      `select distinct on (a.run_id, t.version) a.run_id as of_run, a.number::text as of_attempt, ${asText(VERSION_COLUMNS)}
       from attempts a join runs r on r.id = a.run_id join job_versions t on t.job = r.job and t.version = a.job_version
       where a.run_id = any($1) order by a.run_id, t.version, a.number`,
      [ids],
    )
    const versionsOf = Map.groupBy(versions, (row) => row['of_run'] ?? '')
    return new Map(
      [...(tables['runs'] ?? new Map<string, TextRow[]>()).keys()].map((id) => [
        id,
        {
          tables: Object.fromEntries(Object.entries(tables).map(([table, rows]) => [table, rows.get(id) ?? []])),
          versions: versionsOf.get(id) ?? [],
        },
      ]),
    )
  })
}

async function loadTable(client: pg.PoolClient, table: string, rule: TableRule, ids: readonly string[]): Promise<Map<string, TextRow[]>> {
  const run = table === 'runs' ? 'id' : 'run_id'
  const columns = [...columnsOf(rule), ...(KEPT_4[table] ?? []), ...(table === 'runs' ? MOVED : [])]
  const isOpen = rule.open ? `, (${rule.open.when})::text as is_open` : ''
  const about = Object.entries(rule.about ?? {}).map(([name, sql]) => `, ${sql} as ${name}`)
  const rows = await query<Record<string, string | null>>(
    client,
    `select t.${run} as of_run, ${asText(columns)}${isOpen}${about.join('')} from ${table} t where t.${run} = any($1) order by t.${rule.order}`,
    [ids],
  )
  return Map.groupBy(table === 'runs' ? rows.map(asDecided) : rows, (row) => row['of_run'] ?? '')
}

const PIECE = 1000

/** The next lines of the log after an id, up to another: a piece of them. */
export async function loadLines(db: Db, { after, to }: { after: number; to: number }): Promise<TextRow[]> {
  return slowTransaction(db, async (client) => {
    await client.query(SETTINGS)
    return query<Record<string, string | null>>(
      client,
      `select ${asText(LINE_COLUMNS)} from authorize_events t where t.id > $1 and t.id <= $2 order by t.id limit ${PIECE}`,
      [after, to],
    )
  })
}

/** The highest id of a line below which no line can come to be any more: whoever is writing lines is waited for. */
export async function settledLines(db: Db): Promise<number> {
  return slowTransaction(db, async (client) => {
    await client.query('lock table authorize_events in share mode')
    const [row] = await query<{ to: number }>(client, 'select coalesce(max(id), 0)::bigint as to from authorize_events')
    return row?.to ?? 0
  })
}

/** Lines below all that are ever given an id, and so below every piece. */
export async function countLinesBelow(db: Db): Promise<number> {
  const [row] = await query<{ n: number }>(db, 'select count(*)::int as n from authorize_events where id < 1')
  return row?.n ?? 0
}

/** When the oldest line is of that is there up to an id: retention removes older ones first. */
export async function oldestLine(db: Db, to: number): Promise<Date | undefined> {
  const [row] = await query<{ time: Date | null }>(db, 'select min(time) as time from authorize_events where id <= $1', [to])
  return row?.time ?? undefined
}
