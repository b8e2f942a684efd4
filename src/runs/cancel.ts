import { noUsage, type RunStatus } from '../core/run.ts'
import { readDefinition } from '../jobs/schema.ts'
import type { Db } from '../store/postgres/db.ts'
import { finishUnclaimedRun, loadUnclaimedRun } from '../store/runs/finish.ts'
import { requestCancel } from '../store/runs/heartbeat.ts'
import { deliveriesOf, endWithFailure } from './result.ts'

const CANCELLED = { code: 'CANCELLED', message: 'The run was cancelled.', retry: 'never' } as const

/**
 * Cancels a run. One that no worker holds is over at once; for one that runs, its worker is asked to end it. Returns the status it has now,
 * undefined when there is no such run.
 */
export async function cancelRun(db: Db, runId: string): Promise<RunStatus | undefined> {
  for (;;) {
    const idle = await loadUnclaimedRun(db, runId)
    if (!idle) {
      const status = await requestCancel(db, runId)
      // A worker may have suspended it just now: look again.
      if (status !== 'queued' && status !== 'waiting') return status
      continue
    }
    const end = endWithFailure(CANCELLED, { usage: noUsage, costUsd: null })
    const deliveries = await deliveriesOf(db, idle, readDefinition(idle.definition), end)
    if (await finishUnclaimedRun(db, runId, { ...end, deliveries })) return 'cancelled'
  }
}
