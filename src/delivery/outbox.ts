import type { Logger } from 'pino'
import { nextDeliveryTry } from '../core/rules/delivery.ts'
import { messageOf } from '../core/failure.ts'
import { isFinal } from '../core/run.ts'
import type { Sender, SendResult } from './destinations/destination.ts'
import { reportEvent } from './destinations/report.ts'
import type { Db } from '../store/postgres/db.ts'
import { endDeliveryTry, takeDueDeliveries, type DeliveryOutcome, type DueDelivery } from '../store/delivery/deliveries.ts'
import { loadRun } from '../store/runs/show.ts'
import { createPoller, type Poller } from '../lib/poll.ts'

export interface OutboxOptions {
  db: Db
  /** All destinations; closed with the outbox. */
  destinations: Sender
  log: Logger
  now?: () => Date
}

const POLL_MS = 1000
const BATCH = 20
/** Longer than a delivery can take. */
const LEASE_MS = 60_000

/** Sends reports. Any number of workers share the outbox; a report is sent again until it is taken, so a receiver may see it twice, with the same id. */
export function createOutbox({ db, destinations, log, now = () => new Date() }: OutboxOptions): Poller {
  async function send({ id, runId, target }: DueDelivery): Promise<SendResult> {
    const run = await loadRun(db, runId)
    if (!run) return { ok: false, error: 'the run is gone', final: true }
    // Its end will bring deliveries of its own.
    if (!isFinal(run.status)) return { ok: false, error: 'the run was retried before its report was sent', final: true }
    return destinations.send(target, { id, run, event: reportEvent(run, id) })
  }

  async function attempt(due: DueDelivery): Promise<void> {
    const result = await send(due).catch((error: unknown) => ({ ok: false as const, error: messageOf(error), final: false }))
    const retryAt = result.ok || result.final ? undefined : nextDeliveryTry(due.tries, now())
    const outcome: DeliveryOutcome = result.ok
      ? { status: 'delivered' }
      : retryAt
        ? { status: 'pending', error: result.error, nextTryAt: retryAt }
        : { status: 'failed', error: result.error }
    await endDeliveryTry(db, due.id, outcome)
    const about = { runId: due.runId, target: due.target, tries: due.tries }
    if (outcome.status === 'delivered') log.info(about, 'Report delivered.')
    else
      log.warn(
        { ...about, reason: outcome.error },
        retryAt ? 'The report could not be delivered; it is tried again.' : 'The report could not be delivered; it is given up.',
      )
  }

  const poller = createPoller({
    name: 'outbox',
    everyMs: POLL_MS,
    async work(signal) {
      for (let more = true; more && !signal.aborted;) {
        const due = await takeDueDeliveries(db, { limit: BATCH, leaseMs: LEASE_MS })
        await Promise.all(due.map(attempt))
        more = due.length === BATCH
      }
    },
    onFailure: (error) => log.warn({ reason: messageOf(error) }, 'The outbox could not be looked at.'),
    stopMs: LEASE_MS,
  })
  return {
    ...poller,
    async stop() {
      await poller.stop()
      await destinations.close()
    },
  }
}
