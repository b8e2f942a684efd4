import { query, slowTransaction, type Db } from '../postgres/db.ts'
import { elementsOf } from './evidence.ts'
import { RECORD_TABLES, type RecordRule, type RecordTable } from './record-rules.ts'
import { asText, SETTINGS, type TextRow } from './signed-rows.ts'

/** A row of a table beside the runs, as it is now, with its mark. */
export interface MarkedRow {
  mark: string
  row: TextRow
}

const columnsOf = ({ said, kept }: RecordRule) => [...said, ...kept]

/** A row may be written, by a long transaction or a clock that was set, with a time that is so long ago. */
const LATE = "interval '1 day'"

/** Marks that checkpoints list of a table. */
const listed = ({ rule }: RecordRule, since = '') =>
  `select e ->> 'mark' as mark from checkpoints c, ${elementsOf('c.records')} l, ${elementsOf("(l -> 'rows')")} e
   where l ->> 'rule' = '${rule}' ${since}`

/** Rows that no checkpoint lists as they stand, of those that came to be after `after`, or up to a day before: the oldest, and up to when all of them are among these. */
export async function loadNewRecords(
  db: Db,
  { table, after, limit }: { table: RecordTable; after: string; limit: number },
): Promise<{ rows: MarkedRow[]; to: string }> {
  const rule: RecordRule = RECORD_TABLES[table]
  return slowTransaction(db, async (client) => {
    await client.query(SETTINGS)
    const rows = await query<Record<string, string | null>>(
      client,
      `with listed as materialized (${listed(rule, `and c.taken_at > $1::timestamptz - 2 * ${LATE}`)})
       select t.*, (t.of_time)::text as of_time from (
         select ${asText(columnsOf(rule))}, ${rule.mark} as mark, ${rule.time} as of_time from ${table} t) t
       where t.of_time > $1::timestamptz - ${LATE} and not exists (select from listed where listed.mark = t.mark)
       order by t.of_time limit ${limit}`,
      [after],
    )
    const [upTo] = await query<{ time: string }>(
      client,
      'select greatest($1::timestamptz, $2::timestamptz, $3::timestamptz)::text as time',
      [after, rows.length < limit ? 'now' : null, rows.length < limit ? null : (rows.at(-1)?.['of_time'] ?? null)],
    )
    return { rows: rows.map(markedRow), to: upTo?.time ?? after }
  })
}

function markedRow({ mark, of_time: _time, ...row }: Record<string, string | null>): MarkedRow {
  return { mark: mark ?? '', row }
}

/** Rows that came to be a day or more before `to`, up to which all are listed, and that no checkpoint lists: their marks, `limit` at most. */
export async function listUnlisted(db: Db, { table, to, limit }: { table: RecordTable; to: string; limit: number }): Promise<string[]> {
  const rule: RecordRule = RECORD_TABLES[table]
  return slowTransaction(db, async (client) => {
    await client.query(SETTINGS)
    const rows = await query<{ mark: string }>(
      client,
      `with listed as materialized (${listed(rule)})
       select mark from (select ${rule.mark} as mark, ${rule.time} as of_time from ${table}) t
       where of_time < $1::timestamptz - ${LATE} and not exists (select from listed where listed.mark = t.mark) order by of_time limit ${limit}`,
      [to],
    )
    return rows.map(({ mark }) => mark)
  })
}

/** The rows of these keys that there are, by their key: its columns in their order. */
export async function loadRecords(
  db: Db,
  table: RecordTable,
  keys: readonly (readonly (string | null)[])[],
): Promise<Map<string, TextRow>> {
  const rule: RecordRule = RECORD_TABLES[table]
  const columns = Object.entries(rule.key)
  return slowTransaction(db, async (client) => {
    await client.query(SETTINGS)
    const rows = await query<Record<string, string | null>>(
      client,
      `select ${asText(columnsOf(rule))} from ${table} t
       join unnest(${columns.map(([, type], at) => `$${at + 1}::${type}[]`).join(', ')}) k(${columns.map(([name]) => name).join(', ')})
         using (${columns.map(([name]) => name).join(', ')})`,
      columns.map((_, at) => keys.map((key) => key[at])),
    )
    return new Map(rows.map((row) => [keyOf(table, row), row]))
  })
}

/** The key of a row as one text. */
export const keyOf = (table: RecordTable, row: TextRow): string => JSON.stringify(keyParts(table, row))

export const keyParts = (table: RecordTable, row: TextRow): (string | null)[] =>
  Object.keys(RECORD_TABLES[table].key).map((name) => row[name] ?? null)
