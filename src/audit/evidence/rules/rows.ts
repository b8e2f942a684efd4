import { canonicalText, sha256Hex } from '../../../lib/hash/chain.ts'
import type { CheckpointedRows, CheckpointedRows3 } from '../../../store/audit/evidence.ts'
import { END_COLUMNS, KEPT_4, RUN_TABLES, RUN_TABLES_3, type TableRule } from '../../../store/audit/row-rules.ts'
import type { RunRows, TextRow } from '../../../store/audit/signed-rows.ts'
import type { Removals } from './keep.ts'

/** Columns of an attempt that stand on the run while it is the last one. */
const MOVED = ['output', 'output_text', 'ending', 'mended', 'reasons'] as const

const pick = (row: TextRow, columns: readonly string[]) => Object.fromEntries(columns.map((name) => [name, row[name] ?? null]))
const digest = (value: unknown) => sha256Hex(canonicalText(value))

/** Up to where a run is signed, and by which rule. */
type Extent =
  | Pick<CheckpointedRows, 'rule' | 'attempts' | 'open'>
  | Pick<CheckpointedRows3, 'rule' | 'attempts' | 'open' | 'conversation' | 'acts'>

interface TableRows {
  table: string
  rule: TableRule
  rows: TextRow[]
}

/** The rows of a run up to an attempt, with the last attempt's result where a retry would move it. */
function upTo({ tables }: RunRows, of: Omit<Extent, 'open'> & Partial<Pick<CheckpointedRows3, 'conversation' | 'acts'>>): TableRows[] {
  const { attempts, conversation = 0, acts = [] } = of
  const [run = {}] = tables['runs'] ?? []
  const first = Object.entries(RUN_TABLES).map(([table, rule]) => {
    const column = rule.attempt
    const rows = (tables[table] ?? []).filter((row) => column === undefined || Number(row[column]) <= attempts)
    return { table, rule, rows: table === 'attempts' ? rows.map((row) => withResult(row, run, attempts)) : rows }
  })
  if (of.rule === 'runs/2') return first
  const belongs: Readonly<Record<string, (row: TextRow) => boolean>> = {
    run_ends: (row) => Number(row['conversation']) < conversation,
    run_acts: (row) => acts.includes(row['act_id'] ?? ''),
  }
  const more = Object.entries(RUN_TABLES_3).map(([table, rule]) => ({
    table,
    rule,
    rows: (tables[table] ?? []).filter((row) => belongs[table]?.(row)),
  }))
  return [...first, ...more]
}

/** True of the last attempt while its result stands on the run: a retry moves it, and an end without an attempt has none. */
const isResultOfRun = (row: TextRow, run: TextRow, attempts: number) =>
  Number(row['number']) === attempts && row['reasons'] === null && row['conversation'] === run['conversation']

function withResult(row: TextRow, run: TextRow, attempts: number): TextRow {
  if (!isResultOfRun(row, run, attempts)) return row
  return { ...row, ...Object.fromEntries(MOVED.map((name) => [name, row[name] ?? run[name] ?? null])) }
}

/** What the digests of a run are of. */
export interface SignedParts {
  kept: unknown
  content: unknown
  state: unknown
}

/** What of a run's rows never changes, what retention empties, and how it stands, as far as it is signed. */
export function partsOf(rows: RunRows, of: Extent): SignedParts {
  const tables = upTo(rows, of)
  const versions = rows.versions
    .filter((row) => Number(row['of_attempt']) <= of.attempts)
    .map((row) => pick(row, ['job', 'version', 'definition', 'created_at']))
  const kept = tables.map(({ table, rule, rows: some }) => [
    table,
    some.map((row) =>
      pick(row, [
        ...rule.kept,
        ...(of.rule === 'runs/4' ? (KEPT_4[table] ?? []) : []),
        ...(rule.open && !of.open[table]?.includes(keyOf(row, rule)) ? rule.open.columns : []),
      ]),
    ),
  ])
  return {
    kept: [...kept, ['job_versions', versions]],
    content: tables
      .filter(({ rule }) => of.rule === 'runs/2' || rule.content)
      .map(({ table, rule, rows: some }) => [table, some.map((row) => pick(row, rule.content ?? []))]),
    state: pick(rows.tables['runs']?.[0] ?? {}, RUN_TABLES['runs']?.state ?? []),
  }
}

const digestsOf = ({ kept, content, state }: SignedParts) => ({ kept: digest(kept), content: digest(content), state: digest(state) })

/** What a checkpoint says of a run, by the rule runs/4. */
export function digestRows(rows: RunRows, attempts: number): CheckpointedRows3 {
  const [run = {}] = rows.tables['runs'] ?? []
  const about = {
    rule: 'runs/4',
    id: run['id'] ?? '',
    attempts,
    conversation: Number(run['conversation']),
    finishedAt: run['finished_at'] ?? null,
    retryOf: run['retry_of'] ?? null,
    status: run['status'] ?? '',
    end: digest(pick(run, END_COLUMNS)),
    acts: (rows.tables['run_acts'] ?? []).map((row) => row['act_id'] ?? ''),
  } as const
  const open = openOf(upTo(rows, about))
  return { ...about, ...digestsOf(partsOf(rows, { ...about, open })), open }
}

const keyOf = (row: TextRow, { order }: TableRule) => row[order] ?? ''

/** Keys of rows that are not settled yet. */
const openOf = (tables: readonly TableRows[]): Record<string, string[]> =>
  Object.fromEntries(
    tables.flatMap(({ table, rule, rows }) => {
      const keys = rows.filter((row) => row['is_open'] === 'true').map((row) => keyOf(row, rule))
      return keys.length === 0 ? [] : [[table, keys] as const]
    }),
  )

const EMPTY: ReadonlySet<string | null> = new Set([null, 'null', '[]'])

/** What else is known of a store when a run of it is looked at. */
export interface RunContext {
  removals: Removals
  isRemoved: (id: string) => boolean
}

/** What does not fit of a run that is there; undefined when it is as it was signed, but for what changes by right. */
export function rowsFault(
  signed: CheckpointedRows | CheckpointedRows3,
  rows: RunRows,
  { removals, isRemoved }: RunContext,
): string | undefined {
  const [run = {}] = rows.tables['runs'] ?? []
  const now = digestsOf(partsOf(rows, signed))
  const conversation = Number(run['conversation'])
  const retryOf = run['retry_of'] ?? null
  if (now.kept !== signed.kept) return 'was changed'
  if (retryOf !== signed.retryOf && !(retryOf === null && signed.retryOf !== null && isRemoved(signed.retryOf))) return 'was changed'
  if (run['pruned_at'] === null) {
    if (now.content !== signed.content) return 'was changed'
  } else {
    if (upTo(rows, signed).some(({ rule, rows: of }) => of.some((row) => rule.content?.some((name) => !EMPTY.has(row[name] ?? null)))))
      return 'has content that retention is said to have removed'
    const [ended, pruned] = [new Date(run['finished_at'] ?? Number.NaN), new Date(run['pruned_at'] ?? Number.NaN)]
    // What was empty when it was signed is believed to have been emptied by right.
    if (signed.rule !== 'runs/2' && now.content !== signed.content && !removals.content(run['status'] ?? '', ended, pruned))
      return 'lost its content, and no retention was set that removes it'
  }
  if (signed.rule !== 'runs/2' && !laterFits(signed, rows)) return 'was changed'
  if (signed.rule !== 'runs/2' && conversation === signed.conversation && !isResultSigned(signed, rows)) return 'was changed'
  if (conversation === signed.conversation) return now.state === signed.state ? undefined : 'was changed'
  // A retry begins another conversation, and ends at another time.
  return conversation < signed.conversation || (run['finished_at'] ?? null) === signed.finishedAt ? 'was changed' : undefined
}

/** True when a result that stands on the run is that of its last attempt, which is signed with it; an end without an attempt has none. */
function isResultSigned({ attempts }: CheckpointedRows3, { tables }: RunRows): boolean {
  const [run = {}] = tables['runs'] ?? []
  return (
    (tables['attempts'] ?? []).some((row) => isResultOfRun(row, run, attempts)) ||
    MOVED.every((name) => name === 'reasons' || EMPTY.has(run[name] ?? null))
  )
}

/** True when what came after a run was signed is what comes after an end: it is kept as it was, and one retry led on from it. */
function laterFits({ conversation, end, acts }: CheckpointedRows3, { tables }: RunRows): boolean {
  const now = Number(tables['runs']?.[0]?.['conversation'])
  const later = (tables['run_acts'] ?? []).filter((row) => !acts.includes(row['act_id'] ?? ''))
  if (now === conversation) return later.length === 0 && !tables['run_ends']?.some((row) => Number(row['conversation']) >= conversation)
  const ended = tables['run_ends']?.find((row) => Number(row['conversation']) === conversation)
  const next = later.filter((row) => Number(row['conversation']) <= conversation)
  return (
    ended !== undefined &&
    digest(pick(ended, END_COLUMNS)) === end &&
    next.length <= 1 &&
    next.every((row) => Number(row['conversation']) === conversation && row['act'] === 'retry')
  )
}

/** What a checkpoint says of a piece of the log. */
export interface SignedLines {
  /** Above the first id and up to the last. */
  after: number
  to: number
  count: number
  /** Times of the oldest line, and of the newest one. */
  oldest: string
  newest?: string | undefined
  digest: string
}

export function digestLines(after: number, lines: readonly TextRow[]): SignedLines {
  const times = lines.map((line) => line['time'] ?? '').toSorted()
  const [oldest = '', newest = ''] = [times[0], times.at(-1)]
  return { after, to: Number(lines.at(-1)?.['id']), count: lines.length, oldest, newest, digest: digest(lines) }
}
