import { parseDoubles, tryParse } from '../../../lib/json/parse.ts'
import { isOfRow } from '../../../store/bad-rows.ts'
import type { Db } from '../../../store/postgres/db.ts'
import { listRemoved, loadDefinitions, type CheckpointedRun, type CheckpointedView } from '../../../store/audit/evidence.ts'
import { loadRunRows, type RunRows } from '../../../store/audit/signed-rows.ts'
import { loadRun } from '../../../store/runs/show.ts'
import { runDigest } from '../bundle.ts'
import { rowsFault } from '../rules/rows.ts'
import type { Verifying } from './verdict.ts'

const BATCH = 50

/** Compares the runs of a checkpoint with what it says of them. */
export async function verifyRuns(
  { number, runs }: { number: number; runs: readonly CheckpointedRun[] },
  verifying: Verifying,
): Promise<void> {
  for (let at = 0; at < runs.length; at += BATCH) await verifySome({ number, runs: runs.slice(at, at + BATCH) }, verifying)
}

async function verifySome(
  { number, runs }: { number: number; runs: readonly CheckpointedRun[] },
  { db, removals, contentFault, verdict }: Verifying,
): Promise<void> {
  const removed = await listRemoved(
    db,
    runs.flatMap((run) => [run.id, ...('rule' in run && run.retryOf !== null ? [run.retryOf] : [])]),
  )
  const found = await loadRunRows(
    db,
    runs.map(({ id }) => id),
  )
  const isRemoved = (id: string) => removed.has(id)
  for (const run of runs) {
    verdict.runs++
    const [rows, at] = [found.get(run.id), removed.get(run.id)]
    const fault = rows
      ? at
        ? 'is there, and is said to be removed'
        : ((await faultOf(db, run, rows, { removals, isRemoved })) ?? (await keptFault(db, run.id, rows, contentFault)))
      : removalFault(run, at, removals)
    if (fault !== undefined) verdict.faults.push(`run ${run.id} of checkpoint ${number} ${fault}`)
    else if (!rows || isPruned(rows)) verdict.pruned++
    else verdict.intact++
  }
}

/** What is kept of a run may be removed, as its rows are, while it is looked at. */
async function keptFault(db: Db, id: string, { tables }: RunRows, contentFault: Verifying['contentFault']): Promise<string | undefined> {
  const fault = await contentFault(tables['tool_calls'] ?? [])
  if (fault === undefined) return undefined
  const now = (await loadRunRows(db, [id])).get(id)
  return now && !isPruned(now) ? fault : undefined
}

const isPruned = ({ tables }: RunRows) => (tables['runs']?.[0]?.['pruned_at'] ?? null) !== null

/** What is wrong with that a run is not there. */
function removalFault(run: CheckpointedRun, at: Date | undefined, removals: Verifying['removals']): string | undefined {
  if (!at) return 'is gone'
  if (!('rule' in run) || run.rule === 'runs/2') return undefined
  if (removals.run(run.status, new Date(run.finishedAt ?? Number.NaN), at)) return undefined
  return 'was removed, and no retention was set that removes it by then'
}

async function faultOf(db: Db, run: CheckpointedRun, rows: RunRows, context: Parameters<typeof rowsFault>[2]): Promise<string | undefined> {
  if ('rule' in run) return rowsFault(run, rows, context)
  return isPruned(rows) ? undefined : viewFault(db, run)
}

/** By the first rule. */
async function viewFault(db: Db, { id, attempts, digest }: CheckpointedView): Promise<string | undefined> {
  const run = await loadRun(db, id).catch((error: unknown) => {
    if (!isOfRow(error)) throw error
    return undefined
  })
  if (!run) return 'was changed'
  const definitions = await loadDefinitions(db, id)
  // When that rule was in force, numbers in arguments were read as doubles.
  const asThen = { ...run, toolCalls: run.toolCalls.map((call) => ({ ...call, arguments: asDoubles(call.arguments) })) }
  return [run, asThen].some((one) => runDigest({ run: one, definitions }, attempts) === digest) ? undefined : 'was changed'
}

const asDoubles = (args: unknown) => (typeof args === 'string' ? (tryParse(args, parseDoubles) ?? args) : args)
