import { createTask, type ScheduledTask } from 'node-cron'
import type { Logger } from 'pino'
import { takeCheckpoint } from '../audit/evidence/checkpoint.ts'
import { openSigningKey } from '../audit/evidence/keys.ts'
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

const DAY_MS = 86_400_000
const HOUR_MINUTES = 60

/**
 * What the store needs from time to time: at the start, and each hour at a minute of this process's own, so that replicas do not begin together. Each duty is
 * a poller of its own: one that fails or takes an hour delays neither the others nor the schedules.
 */
export function createUpkeep({ db, config, log }: { db: Db; config: Config; log: Logger }): Upkeep {
  const { evidence, retention } = config
  const duty = (name: string, work: (signal: AbortSignal) => Promise<unknown>) =>
    createPoller({
      name,
      work,
      onFailure: (error) =>
        log.error({ duty: name, reason: describeError(error) }, 'Upkeep of the store failed; it is tried again in an hour.'),
    })
  const duties = [
    duty('checkpoint', (signal) => takeCheckpoint(db, openSigningKey(evidence.keyFile), { everyMs: DAY_MS, signal, log })),
    duty('retention', (signal) => prune(db, retention, signal, log)),
    duty('idempotency-keys', () => forgetOldKeys(db)),
    duty('bad-rows', () => forgetBadRows(db)),
  ]
  let task: ScheduledTask | undefined

  return {
    duties,
    async start() {
      if (task) return
      const minute = Math.floor(Math.random() * HOUR_MINUTES)
      task = createTask(`${minute} * * * *`, () => duties.forEach((one) => one.wake()), { suppressMissedWarning: true })
      await Promise.all([task.start(), ...duties.map((one) => one.start())])
    },
    async stop() {
      await Promise.all([task?.destroy(), ...duties.map((one) => one.stop())])
    },
  }
}
