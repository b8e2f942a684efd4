import { z } from 'zod'
import { listRemoved, type RecordList } from '../../../store/audit/evidence.ts'
import { RECORD_NAMES, RECORD_TABLES, type RecordTable } from '../../../store/audit/record-rules.ts'
import { keyOf, keyParts, listUnlisted, loadRecords } from '../../../store/audit/signed-records.ts'
import { recordFits, type RecordEntry } from '../rules/records.ts'
import type { Verifying } from './verdict.ts'

const listsSchema = z.array(
  z.strictObject({
    rule: z.enum(RECORD_NAMES.map((table) => RECORD_TABLES[table].rule)),
    rows: z.array(z.strictObject({ mark: z.string(), said: z.record(z.string(), z.string().nullable()), kept: z.string() })),
  }),
)

/** The lists of rows of a checkpoint; undefined when they do not have the form of any. */
export const readRecords = (lists: unknown): z.output<typeof listsSchema> | undefined => listsSchema.safeParse(lists).data

const BATCH = 500

/** Compares rows of the tables beside the runs with what a checkpoint lists of them. */
export async function verifyRecords(
  { number, lists }: { number: number; lists: readonly RecordList[] },
  verifying: Verifying,
): Promise<void> {
  for (const { rule, rows } of lists) {
    const table = RECORD_NAMES.find((name) => RECORD_TABLES[name].rule === rule)
    if (!table) continue
    for (let at = 0; at < rows.length; at += BATCH) await verifySome({ number, table, rows: rows.slice(at, at + BATCH) }, verifying)
  }
}

async function verifySome(
  { number, table, rows }: { number: number; table: RecordTable; rows: readonly RecordEntry[] },
  { db, removals, verdict }: Verifying,
): Promise<void> {
  const found = await loadRecords(
    db,
    table,
    rows.map(({ said }) => keyParts(table, said)),
  )
  const removed = table === 'fires' ? await listRemoved(db, rows.flatMap(({ said }) => said['run_id'] ?? [])) : new Map<string, Date>() // prettier-ignore
  for (const entry of rows) {
    verdict.records++
    const now = found.get(keyOf(table, entry.said))
    if (recordFits(table, entry, now, { removals, isRemoved: (id) => removed.has(id) })) continue
    verdict.faults.push(`${table} ${entry.mark} of checkpoint ${number} ${now ? 'was changed' : 'is gone'}`)
  }
}

/** More are not named. */
const MOST_NAMED = 100

/** Rows that were added since, and are said to be of a time of which all rows are listed. */
export async function findUnlisted(recordsTo: Readonly<Record<string, string>>, { db, verdict }: Verifying): Promise<void> {
  for (const table of RECORD_NAMES) {
    const to = recordsTo[table]
    if (to === undefined) continue
    for (const mark of await listUnlisted(db, { table, to, limit: MOST_NAMED }))
      verdict.faults.push(`${table} ${mark} was added after the checkpoints of its time`)
  }
}
