import type { Logger } from 'pino'
import { BEAT_MS } from '../core/duties.ts'
import { describeError } from '../core/failure.ts'
import { within } from '../lib/time/deadline.ts'
import type { Duty } from '../lib/time/duty.ts'
import { createPoller, type Poller } from '../lib/time/poll.ts'
import type { Db } from '../store/postgres/db.ts'
import type { ClockWatch } from './clock.ts'
import { forgetProcess, noteProcess, type DutyNote, type ProcessConfig, type ProcessSelf } from '../store/processes.ts'

/** Longest wait for the store to forget a process that ends. */
const LEAVE_MS = 2000

export interface PresenceOptions {
  db: Db
  self: ProcessSelf
  /** What this process does in the background, started or not. */
  duties: readonly Pick<Duty, 'state'>[]
  /** Takes secrets out of what a duty met. */
  redact: (text: string) => string
  clock: Pick<ClockWatch, 'measure'>
  config: () => ProcessConfig
  log: Logger
}

/**
 * Writes into the store that this process is at work, how its duties are, how far its clock is off and how its configuration stands to the file, for `nightshift status` and `doctor`. One writer for all duties: one that hangs grows old
 * in its row, and a process that hangs writes none.
 */
export function createPresence({ db, self, duties, redact, clock, config, log }: PresenceOptions): Poller {
  const poller = createPoller({
    name: 'presence',
    everyMs: BEAT_MS,
    async work() {
      const skewMs = await clock.measure()
      const { digest, waiting, fault } = config()
      const state = { digest, waiting, fault: fault && redact(fault) }
      await noteProcess(db, self, { duties: duties.flatMap((duty) => noteOf(duty, redact)), skewMs, config: state })
    },
    onFailure: (error) =>
      log.warn({ reason: describeError(error) }, 'What this process does could not be written down: status and doctor miss it.'),
  })
  return {
    ...poller,
    async stop() {
      await poller.stop()
      if (poller.state().startedAgoMs === undefined) return
      // Without it, the row stays for a day.
      await within(LEAVE_MS, forgetProcess(db, self.name), () => new Error('the store does not answer')).catch(() => {})
    },
  }
}

function noteOf(duty: Pick<Duty, 'state'>, redact: (text: string) => string): DutyNote[] {
  const { name, everyMs, startedAgoMs, succeededAgoMs, failed } = duty.state()
  if (startedAgoMs === undefined) return []
  const reason = failed && redact(describeError(failed.error))
  return [{ duty: name, everyMs, startedAgoMs, succeededAgoMs, failedAgoMs: failed?.agoMs, reason }]
}
