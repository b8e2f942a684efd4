import { describeError, Failure } from '../core/failure.ts'
import { storeText } from '../lib/text.ts'
import { inBatches } from './batches.ts'
import { query, type Db } from './postgres/db.ts'
import { isUnavailable, sqlStateOf } from './postgres/faults.ts'

/** Duties that go through many rows. */
export type RowDuty = 'checkpoint' | 'retention' | 'import' | 'match' | 'alarms' | 'outbox'

/** Where a bad row is told. */
export interface BadRowLog {
  error: (about: Record<string, unknown>, message: string) => void
}

export interface BadRowOptions {
  db: Db
  duty: RowDuty
  log?: BadRowLog | undefined
}

/** What the values of a row can make Postgres answer: data exceptions, constraints, triggers, and pages that are broken. */
const OF_VALUES = /^(?:2[1-3]|38|39|44|54|P0|XX)/

/** True when the error comes of what a row holds: not of a store that is away, of a right or table that is missing, or of being stopped. */
export function isOfRow(error: unknown): boolean {
  if (!(error instanceof Error) || error.name === 'AbortError') return false
  const state = sqlStateOf(error)
  if (state !== undefined) return OF_VALUES.test(state)
  return !(error instanceof Failure) && !isUnavailable(error)
}

/** How a duty goes past rows that it cannot handle. */
export interface BadRows {
  /** Says and keeps that a row could not be handled. Throws an error that is not of the row. */
  met: (rowKey: string, error: unknown) => Promise<void>
  /**
   * Does `work` for rows, many at once; where that fails for what one of them holds, for the halves of them, down to the row. `work` must do no harm when it is run
   * twice. Returns the keys of rows that are bad. With `retry`, several that are all bad are none's fault: it fails, and is to be tried again.
   */
  pass: <Row>(
    rows: readonly Row[],
    keyOf: (row: Row) => string,
    work: (rows: readonly Row[]) => Promise<unknown>,
    options?: { retry?: boolean },
  ) => Promise<string[]>
  /** Does `work` for all rows in one statement (`null`); where that fails for what one of them holds, for those with the keys that `list` gives, as `pass` does. */
  all: (list: () => Promise<readonly string[]>, work: (keys: readonly string[] | null) => Promise<unknown>) => Promise<void>
}

export function createBadRows({ db, duty, log }: BadRowOptions): BadRows {
  async function met(rowKey: string, error: unknown): Promise<void> {
    if (!isOfRow(error)) throw error
    const reason = describeError(error)
    log?.error({ duty, row: rowKey, reason }, 'A row could not be handled; the duty went on with the others.')
    await noteBadRow(db, { duty, rowKey, reason })
  }
  const pass: BadRows['pass'] = async (rows, keyOf, work, { retry = false } = {}) => {
    const bad = await badOf(rows, work)
    if (retry && bad.length > 1 && bad.length === rows.length) throw bad[0]?.error
    const keys = bad.map(({ row }) => keyOf(row))
    for (const [i, { error }] of bad.entries()) await met(keys[i] ?? '', error)
    return keys
  }
  return {
    met,
    pass,
    async all(list, work) {
      try {
        await work(null)
      } catch (error) {
        if (!isOfRow(error)) throw error
        await pass(await list(), (key) => key, work)
      }
    },
  }
}

/** Does the work for all rows but those that it fails for. */
async function badOf<Row>(rows: readonly Row[], work: (rows: readonly Row[]) => Promise<unknown>): Promise<{ row: Row; error: unknown }[]> {
  const [first] = rows
  if (first === undefined) return []
  try {
    await work(rows)
    return []
  } catch (error) {
    if (!isOfRow(error)) throw error
    if (rows.length === 1) return [{ row: first, error }]
    const half = Math.ceil(rows.length / 2)
    return [...(await badOf(rows.slice(0, half), work)), ...(await badOf(rows.slice(half), work))]
  }
}

const MAX_REASON = 2000
/** A row that is not met again for this long was mended, or is gone. */
const FORGOTTEN_AFTER = "interval '2 days'"

/** Counts what a duty could not handle for the metrics, whichever process it was. */
export async function noteBadRow(db: Db, { duty, rowKey, reason }: { duty: RowDuty; rowKey: string; reason: string }): Promise<void> {
  await query(
    db,
    `insert into bad_rows (duty, row_key, reason) values ($1, $2, $3)
     on conflict (duty, row_key) do update set reason = excluded.reason, met_at = now()`,
    [duty, storeText(rowKey), storeText(reason.slice(0, MAX_REASON))],
  )
}

/** How many rows each duty could not handle of late. */
export async function badRowStats(db: Db): Promise<{ duty: string; rows: number }[]> {
  return query(
    db,
    `select duty, count(*)::int as rows from bad_rows where met_at > now() - ${FORGOTTEN_AFTER} group by 1`,
    [],
    'bad row stats',
  )
}

/** Forgets rows that no duty met for a while. */
export async function forgetBadRows(db: Db): Promise<void> {
  await inBatches(async (most) => {
    const gone = await query(
      db,
      `delete from bad_rows where ctid = any(array(
         select ctid from bad_rows where met_at <= now() - ${FORGOTTEN_AFTER} limit $1 for update skip locked)) returning 1`,
      [most],
    )
    return gone.length
  })
}
