import { canonicalText, sha256Hex } from '../../lib/hash/chain.ts'
import type { CheckpointedRows } from '../../store/audit/evidence.ts'
import { RUN_TABLES, type TableRule } from '../../store/audit/row-rules.ts'
import type { RunRows, TextRow } from '../../store/audit/signed-rows.ts'

/** Columns of an attempt that stand on the run while it is the last one. */
const MOVED = ['output', 'output_text', 'ending', 'mended', 'reasons'] as const

const pick = (row: TextRow, columns: readonly string[]) => Object.fromEntries(columns.map((name) => [name, row[name] ?? null]))
const isUpTo = (attempts: number, column: string | undefined) => (row: TextRow) => column === undefined || Number(row[column]) <= attempts

/** The rows of a run up to an attempt, with the last attempt's result where a retry would move it. */
function upTo({ tables }: RunRows, attempts: number): { table: string; rule: TableRule; rows: TextRow[] }[] {
  const [run = {}] = tables['runs'] ?? []
  return Object.entries(RUN_TABLES).map(([table, rule]) => {
    const rows = (tables[table] ?? []).filter(isUpTo(attempts, rule.attempt))
    if (table !== 'attempts') return { table, rule, rows }
    const isMoved = (row: TextRow) => Number(row['number']) < attempts || row['reasons'] !== null
    return {
      table,
      rule,
      rows: rows.map((row) =>
        isMoved(row) ? row : { ...row, ...Object.fromEntries(MOVED.map((name) => [name, row[name] ?? run[name] ?? null])) },
      ),
    }
  })
}

const digest = (value: unknown) => sha256Hex(canonicalText(value))

/** What a checkpoint says of a run by the rule runs/2; `signed` is what one said, when it is compared with now. */
export function digestRows(rows: RunRows, attempts: number, signed?: CheckpointedRows): CheckpointedRows {
  const [run = {}] = rows.tables['runs'] ?? []
  const tables = upTo(rows, attempts)
  const open = signed?.open ?? openOf(tables)
  const versions = rows.versions
    .filter((row) => Number(row['of_attempt']) <= attempts)
    .map((row) => pick(row, ['job', 'version', 'definition', 'created_at']))
  const retryOf = run['retry_of'] ?? null
  const kept = tables.map(({ table, rule, rows: of }) => [
    table,
    of.map((row) => pick(row, [...rule.kept, ...(rule.open && !open[table]?.includes(keyOf(row, rule)) ? rule.open.columns : [])])),
  ])
  return {
    rule: 'runs/2',
    id: run['id'] ?? '',
    attempts,
    conversation: Number(run['conversation']),
    finishedAt: run['finished_at'] ?? null,
    retryOf,
    kept: digest([...kept, ['job_versions', versions]]),
    content: digest(tables.map(({ table, rule, rows: of }) => [table, of.map((row) => pick(row, rule.content ?? []))])),
    state: digest(pick(run, RUN_TABLES['runs']?.state ?? [])),
    open,
  }
}

const keyOf = (row: TextRow, { order }: TableRule) => row[order] ?? ''

/** Keys of rows that are not settled yet. */
const openOf = (tables: readonly { table: string; rule: TableRule; rows: readonly TextRow[] }[]): Record<string, string[]> =>
  Object.fromEntries(
    tables.flatMap(({ table, rule, rows }) => {
      const keys = rows.filter((row) => row['is_open'] === 'true').map((row) => keyOf(row, rule))
      return keys.length === 0 ? [] : [[table, keys] as const]
    }),
  )

const EMPTY: ReadonlySet<string | null> = new Set([null, 'null', '[]'])

/** What does not fit of a run that is there; undefined when it is as it was signed, but for what changes by right. */
export function rowsFault(signed: CheckpointedRows, rows: RunRows, isPruned: (id: string) => boolean): string | undefined {
  const [run = {}] = rows.tables['runs'] ?? []
  const now = digestRows(rows, signed.attempts, signed)
  if (now.kept !== signed.kept) return 'was changed'
  if (now.retryOf !== signed.retryOf && !(now.retryOf === null && signed.retryOf !== null && isPruned(signed.retryOf))) return 'was changed'
  if (run['pruned_at'] === null) {
    if (now.content !== signed.content) return 'was changed'
  } else if (
    upTo(rows, signed.attempts).some(({ rule, rows: of }) => of.some((row) => rule.content?.some((name) => !EMPTY.has(row[name] ?? null))))
  )
    return 'has content that retention is said to have removed'
  if (now.conversation === signed.conversation) return now.state === signed.state ? undefined : 'was changed'
  // A retry begins another conversation, and ends at another time.
  return now.conversation < signed.conversation || now.finishedAt === signed.finishedAt ? 'was changed' : undefined
}

/** What a checkpoint says of a piece of the log. */
export interface SignedLines {
  /** Above the first id and up to the last. */
  after: number
  to: number
  count: number
  /** Times of the oldest line. */
  oldest: string
  digest: string
}

export function digestLines(after: number, lines: readonly TextRow[]): SignedLines {
  const oldest = lines.map((line) => line['time'] ?? '').toSorted()[0] ?? ''
  return { after, to: Number(lines.at(-1)?.['id']), count: lines.length, oldest, digest: digest(lines) }
}
