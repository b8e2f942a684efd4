import type { Logger } from 'pino'
import { sendAlarms, type AlarmOptions } from '../audit/alarm.ts'
import { watchSilence } from '../audit/silence.ts'
import { takeCheckpoint } from '../audit/evidence/checkpoint.ts'
import { signingKeyTexts } from '../audit/evidence/keys.ts'
import { openSigner } from '../audit/evidence/signer.ts'
import type { Config } from '../config/load.ts'
import { describeError } from '../core/failure.ts'
import type { Lifecycle } from '../lib/lifecycle.ts'
import { createPoller, type Poller } from '../lib/time/poll.ts'
import { forgetBadRows } from '../store/bad-rows.ts'
import type { Db } from '../store/postgres/db.ts'
import { prune } from '../store/retention.ts'
import { forgetOldKeys } from '../store/runs/idempotency.ts'

export interface Upkeep extends Lifecycle {
  /** The state of each duty: rounds, failures, last success. */
  duties: readonly Poller[]
}

interface UpkeepOptions extends Pick<AlarmOptions, 'notify'> {
  /** Is told each signing key, so that no text shows it. */
  onKey: (text: string) => void
  db: Db
  config: () => Config
  log: Logger
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** So much of the hour differs between processes. */
const SPREAD_MS = 600_000

/**
 * What the store needs from time to time: at the start, and then each hour at the latest, by an interval of this process's own, so that replicas do not go on
 * together. Each duty is a poller of its own: one that fails or takes an hour delays neither the others nor the schedules.
 */
export function createUpkeep({ db, config, notify, onKey, log }: UpkeepOptions): Upkeep {
  const everyMs = HOUR_MS - Math.random() * SPREAD_MS
  const duty = (name: string, work: (signal: AbortSignal) => Promise<unknown>, every = everyMs) =>
    createPoller({
      name,
      everyMs: every,
      againMs: MINUTE_MS,
      work,
      onFailure: (error) =>
        log.error(
          { duty: name, reason: describeError(error) },
          'Upkeep of the store failed; it is tried again, in a minute at first and then later and later.',
        ),
    })
  const duties = [
    duty('checkpoint', checkpoint),
    duty('retention', (signal) => prune(db, config().retention, signal, log)),
    duty('idempotency-keys', () => forgetOldKeys(db)),
    duty('bad-rows', () => forgetBadRows(db)),
    duty('log-silence', () => watchSilence({ db, graceMs: config().audit.gracePeriod, log, notify }), MINUTE_MS),
  ]

  async function checkpoint(signal: AbortSignal): Promise<void> {
    const { evidence, alerts, retention } = config()
    // The key may be another one than at the start.
    for (const text of signingKeyTexts(evidence.keyFile)) onKey(text)
    const sends = alerts?.checkpoints ?? false
    await takeCheckpoint(db, openSigner(evidence), { everyMs: DAY_MS, keep: retention, sends, signal, log })
    if (sends) await sendAlarms({ db, log, notify })
  }

  return {
    duties,
    async start() {
      await Promise.all(duties.map((one) => one.start()))
    },
    async stop() {
      await Promise.all(duties.map((one) => one.stop()))
    },
  }
}
