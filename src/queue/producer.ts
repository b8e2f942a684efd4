import type { Logger } from 'pino'
import { describeError, Failure, messageOf } from '../core/failure.ts'
import { PRIORITIES } from '../core/run.ts'
import type { Wake, Waker } from '../core/ports/wake.ts'
import { within } from '../lib/time/deadline.ts'
import type { RunQueue } from './backend.ts'

/** BullMQ deduplicates by jobId while the job exists; run and round make it, so a round is added once, and its takeover once. */
const jobIdOf = ({ id, round, takeover, late }: Wake) =>
  `${id}${round === 0 ? '' : `-${round}`}${takeover ? '-takeover' : ''}${late ? '-late' : ''}`

/** Longest wait for the queue: a frozen Redis would otherwise be waited for without end. */
const WAKE_MS = 5000
/** Most runs in one command to the queue. */
const BATCH = 1000

export interface Producer extends Waker {
  /** Resolves when nothing is on its way any more: before the queue is closed. */
  flush(): Promise<void>
}

/** The queue's side of `Waker`. `wakeMs` bounds the wait for the queue. */
export function createProducer(queue: RunQueue, log: Logger, { wakeMs = WAKE_MS } = {}): Producer {
  queue.on('error', (error) => {
    if (!queue.closing) log.warn({ reason: describeError(error) }, 'The queue does not answer.')
  })
  let gathering: { wakes: Wake[]; sent: Promise<void> } | undefined
  let sending: Promise<unknown> = Promise.resolve()

  async function send(wakes: readonly Wake[]): Promise<void> {
    try {
      const jobs = wakes.map((one) => ({
        name: 'run',
        data: { runId: one.id },
        opts: {
          jobId: jobIdOf(one),
          priority: one.priority ?? PRIORITIES.normal,
          delay: Math.max(0, Math.ceil(one.inMs ?? 0)),
          attempts: 1,
        },
      }))
      await within(wakeMs, queue.addBulk(jobs), () => new Error(`it did not answer within ${wakeMs / 1000} s`))
    } catch (cause) {
      throw new Failure({
        code: 'QUEUE_UNAVAILABLE',
        message: `The queue did not take ${wakes.length === 1 ? 'a run' : `${wakes.length} runs`}: ${messageOf(cause)}.`,
        cause,
      })
    }
  }

  async function sendAll(wakes: readonly Wake[]): Promise<void> {
    for (let at = 0; at < wakes.length; at += BATCH) await send(wakes.slice(at, at + BATCH))
  }

  /** Group commit: wakes that arrive while a command is under way share the next one. */
  async function wake(wakes: readonly Wake[]): Promise<void> {
    if (wakes.length === 0) return
    if (!gathering) {
      const batch: Wake[] = []
      const sent = sending.then(() => {
        gathering = undefined
        return sendAll(batch)
      })
      gathering = { wakes: batch, sent }
      sending = sent.catch(() => {})
    }
    gathering.wakes.push(...wakes)
    return gathering.sent
  }
  return {
    wake,
    wakeSoon(wakes) {
      wake(wakes).catch((error: unknown) =>
        log.warn({ reason: describeError(error), runs: wakes.length }, 'Runs stay queued until the queue answers.'),
      )
    },
    async flush() {
      await sending
    },
  }
}
