import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { nextDeliveryTry } from '../core/rules/delivery.ts'
import { describeError } from '../core/failure.ts'
import { isFinal } from '../core/run.ts'
import type { Sender, SendResult } from './destinations/destination.ts'
import { reportEvent } from './destinations/report.ts'
import { createBadRows, isOfRow } from '../store/bad-rows.ts'
import type { Db } from '../store/postgres/db.ts'
import {
  endDeliveryTry,
  hastenDeliveries,
  putOffDeliveries,
  takeDueDeliveries,
  type DeliveryOutcome,
  type DueDelivery,
} from '../store/delivery/deliveries.ts'
import { loadRun } from '../store/runs/show.ts'
import { within } from '../lib/time/deadline.ts'
import { createPoller, type Poller } from '../lib/time/poll.ts'

export interface OutboxOptions {
  db: Db
  /** All destinations; closed with the outbox. */
  destinations: Sender
  log: Logger
  tryMs?: number
}

const POLL_MS = 1000
/** Deliveries under way at a time, and to one place. */
const CONCURRENCY = 20
const PER_PLACE = 4
/** Longest try, whatever the destination waits for, such as a file system that hangs. */
const TRY_MS = 45_000
/** Lease of a delivery; longer than a try can take. */
const LEASE_MS = 60_000
/** A round ends after this time, also while tries are under way, so that slow receivers do not make the outbox look dead in metrics. */
const ROUND_MS = 30_000
/** After SILENT_TRIES tries in a row without an answer, all deliveries to the place are put off by PUT_OFF_MS. */
const SILENT_TRIES = 3
const PUT_OFF_MS = 60_000
/** Tries in a row after which a place is taken to be away: what waits for it is due when it takes a report again. Fewer may be the fault of one report. */
const AWAY_TRIES = 3

/**
 * Sends the reports of the outbox, shared by any number of workers. At least once: a report is sent again until it is accepted, so a receiver deduplicates by its
 * id. Places are independent: one that does not answer delays only its own reports.
 */
export function createOutbox({ db, destinations, log, tryMs = TRY_MS }: OutboxOptions): Poller {
  const rows = createBadRows({ db, duty: 'outbox', log })
  const underWay = new Set<Promise<void>>()
  const busy = new Map<string, number>()
  /** Tries without an answer since the last one, by place. */
  const silent = new Map<string, number>()
  /** Tries that nobody took since the last one that somebody did, by place. */
  const away = new Map<string, number>()

  async function send({ id, runId, target }: DueDelivery): Promise<SendResult> {
    // Not within the time of a try: a store that is slow does not make a receiver silent.
    const run = await loadRun(db, runId)
    if (!run) return { ok: false, error: 'the run is gone', final: true }
    // The run goes on after a retry: its next end writes new deliveries.
    if (!isFinal(run.status)) return { ok: false, error: 'the run was retried before its report was sent', final: true }
    const late = new Error(`it is not done after ${tryMs / 1000} s`)
    return within(tryMs, destinations.send(target, { id, run, event: reportEvent(run, id) }), () => late).catch(
      (error: unknown): SendResult => {
        if (error === late) return { ok: false, error: late.message, final: false, silent: true }
        throw error
      },
    )
  }

  async function attempt(due: DueDelivery): Promise<void> {
    const result = await send(due).catch(async (error: unknown): Promise<SendResult> => {
      if (isOfRow(error)) await rows.met(due.id, error)
      return { ok: false, error: describeError(error), final: false }
    })
    const waitMs = result.ok || result.final ? undefined : nextDeliveryTry(due.tries)
    const outcome: DeliveryOutcome = result.ok
      ? { status: 'delivered' }
      : waitMs !== undefined
        ? { status: 'pending', error: result.error, waitMs }
        : { status: 'failed', error: result.error }
    await endDeliveryTry(db, due.id, outcome)
    await noteSilence(due.place, !result.ok && result.silent === true)
    await noteReturn(due.place, result)
    const about = { runId: due.runId, target: due.target, tries: due.tries }
    if (outcome.status === 'delivered') log.info(about, 'Report delivered.')
    else
      log.warn(
        { ...about, reason: outcome.error },
        waitMs !== undefined
          ? 'The report could not be delivered; it is tried again.'
          : 'The report could not be delivered; it is given up.',
      )
  }

  async function noteSilence(place: string, isSilent: boolean): Promise<void> {
    const tries = isSilent ? (silent.get(place) ?? 0) + 1 : 0
    if (tries === 0) silent.delete(place)
    else silent.set(place, tries)
    if (tries < SILENT_TRIES) return
    await putOffDeliveries(db, place, PUT_OFF_MS)
    log.warn({ place, tries, putOffMs: PUT_OFF_MS }, 'A receiver of reports does not answer: all that is for it waits.')
  }

  async function noteReturn(place: string, result: SendResult): Promise<void> {
    const tries = away.get(place) ?? 0
    if (!result.ok && result.away === true) away.set(place, tries + 1)
    else away.delete(place)
    if (!result.ok || tries < AWAY_TRIES) return
    const reports = await hastenDeliveries(db, place, LEASE_MS)
    if (reports > 0) log.info({ place, reports }, 'A receiver of reports is back: what waits for it is sent.')
  }

  function begin(due: DueDelivery): void {
    busy.set(due.place, (busy.get(due.place) ?? 0) + 1)
    const done = attempt(due)
      // The outcome is not written: the lease runs out, and the delivery is tried again.
      .catch((error: unknown) => log.warn({ runId: due.runId, reason: describeError(error) }, 'What came of a delivery could not be kept.'))
      .finally(() => {
        underWay.delete(done)
        const left = (busy.get(due.place) ?? 1) - 1
        if (left === 0) busy.delete(due.place)
        else busy.set(due.place, left)
      })
    underWay.add(done)
  }

  async function round(signal: AbortSignal): Promise<void> {
    const until = performance.now() + ROUND_MS
    while (!signal.aborted) {
      const limit = CONCURRENCY - underWay.size
      const due = limit > 0 ? await takeDueDeliveries(db, { limit, perPlace: PER_PLACE, busy, leaseMs: LEASE_MS }) : []
      due.forEach(begin)
      if (underWay.size === 0 || performance.now() > until) return
      // A free slot is filled at once; newly due deliveries are looked for each second.
      await Promise.race([...underWay, sleep(POLL_MS, undefined, { signal, ref: false }).catch(() => {})])
    }
  }

  const poller = createPoller({
    name: 'outbox',
    everyMs: POLL_MS,
    work: round,
    onFailure: (error) => log.warn({ reason: describeError(error) }, 'The outbox could not be looked at.'),
  })
  return {
    ...poller,
    async stop() {
      await poller.stop()
      const ended = Promise.all(underWay).then(() => {})
      await within(LEASE_MS, ended, () => new Error('a delivery does not end')).catch((error: unknown) =>
        log.warn({ reason: describeError(error) }, 'The outbox is stopped all the same.'),
      )
      await destinations.close()
    },
  }
}
