import { canonicalText } from '../../../lib/hash/chain.ts'
import { parseDigits, parseDoubles, tryParse } from '../../../lib/json/parse.ts'
import { RUN_TABLES } from '../../../store/audit/row-rules.ts'
import type { SignedParts } from './rows.ts'

/** Which row an entry of a bundle shows. */
const SHOWN: Readonly<Record<string, { table: string; key: string }>> = {
  definition: { table: 'job_versions', key: 'version' },
  run: { table: 'runs', key: 'id' },
  attempt: { table: 'attempts', key: 'number' },
  attemptEnded: { table: 'attempts', key: 'number' },
  turn: { table: 'turns', key: 'number' },
  toolCall: { table: 'tool_calls', key: 'id' },
  gatewayRequest: { table: 'gateway_requests', key: 'requestIdSent' },
}

type Row = Readonly<Record<string, unknown>>

const columnOf = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The rows that are proved, by table, each with all of its columns that are. */
function rowsOf({ kept, content }: SignedParts): Map<string, Row[]> {
  const tables = new Map<string, Row[]>()
  for (const part of [kept, content])
    for (const table of Array.isArray(part) ? part : []) {
      const [name, rows]: unknown[] = Array.isArray(table) ? table : []
      if (typeof name !== 'string' || !Array.isArray(rows)) continue
      const before = tables.get(name) ?? []
      tables.set(
        name,
        rows.map((row: unknown, at) => ({ ...before[at], ...(isRow(row) ? row : {}) })),
      )
    }
  return tables
}

/** Times as a bundle says them, to the millisecond, and as rows do. */
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const STORED = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/

/** True when a value of a bundle is that of a column, whose text this is. */
function isSame(value: unknown, text: unknown): boolean {
  if (value === null || value === undefined || text === null) return (value ?? null) === text || text === 'null'
  if (value === text || ((typeof value === 'number' || typeof value === 'boolean') && String(value) === text)) return true
  if (typeof text !== 'string') return false
  if (typeof value === 'string' && ISO.test(value) && STORED.test(text)) return Math.abs(Date.parse(text) - Date.parse(value)) <= 1
  if (typeof value === 'number' && Number(text) === value) return true
  return [parseDigits, parseDoubles].some((parse) => {
    const read = tryParse(text, parse)
    return read !== undefined && canonicalText(read) === canonicalText(value)
  })
}

const isEmpty = (value: unknown) => value === null || (Array.isArray(value) && value.length === 0)

/** The first entry that shows another thing than the rows that are proved; undefined when there is none. What has no column of its own is not compared. */
export function otherThanRows(entries: readonly { kind: string; data: unknown }[], parts: SignedParts): string | undefined {
  const tables = rowsOf(parts)
  for (const { kind, data } of entries) {
    const shown = SHOWN[kind]
    if (!shown || !isRow(data)) continue
    const row = tables.get(shown.table)?.find((one) => isSame(data[shown.key], one[columnOf(shown.key)]))
    if (!row) return `${kind} ${String(data[shown.key])}`
    const emptied = RUN_TABLES[shown.table]?.content ?? []
    for (const [name, value] of Object.entries(data)) {
      const column = columnOf(name)
      // Of content that is not proved, nothing may be shown: retention emptied it.
      const isAsProved = Object.hasOwn(row, column) ? isSame(value, row[column]) : !emptied.includes(column) || isEmpty(value)
      if (!isAsProved) return `${kind} ${String(data[shown.key])} (${name})`
    }
  }
  for (const [kind, { table }] of Object.entries(SHOWN))
    if (entries.filter((entry) => entry.kind === kind).length !== (tables.get(table)?.length ?? 0)) return `a ${kind}`
  return undefined
}
