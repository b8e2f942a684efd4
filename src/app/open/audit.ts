import type { Logger } from 'pino'
import type { ReadOptions } from '../../audit/read.ts'
import { digestOf } from '../../config/digest.ts'
import type { Config } from '../../config/load.ts'
import { VERSION } from '../../lib/version.ts'
import type { DutyRecord } from '../../lib/time/duty.ts'
import type { Poller } from '../../lib/time/poll.ts'
import { createClockWatch } from '../clock.ts'
import { notifierOf } from '../notify.ts'
import { createPresence } from '../presence.ts'
import { processName } from './process-name.ts'
import { accountIds, createRunResources, destinationsOf } from '../resources.ts'
import { openStore } from './store.ts'

/** What reading and joining Pomerium's log needs. */
export interface Audit extends ReadOptions, AsyncDisposable {
  /** Writes into the store that this process is at work, as what, and how its duties are. */
  createPresence(role: string, duties: readonly DutyRecord[]): Poller
}

/** Opens the store for the audit commands, and where alarms go. */
export async function openAudit(config: Config, log: Logger): Promise<Audit> {
  await using building = new AsyncDisposableStack()
  const resources = createRunResources(config, building)
  const { db } = await openStore(config, building)
  const destinations = destinationsOf(config, resources.redactor)
  building.defer(() => destinations.close())
  const stack = building.move()
  return {
    db,
    ours: () => accountIds(resources),
    accountIds: () => accountIds(resources).map(({ accountId }) => accountId),
    expected: config.audit.expected,
    graceMs: config.audit.gracePeriod,
    paramsBytes: config.audit.paramsMaxBytes,
    redact: resources.redactor.redact,
    log,
    createPresence(role, duties) {
      const { redact } = resources.redactor
      const presence = createPresence({
        db,
        self: { name: processName(), role, version: VERSION, slots: null },
        duties,
        redact,
        clock: createClockWatch({ db, log }),
        config: () => ({ digest: digestOf(config), waiting: [], fault: undefined }),
        log,
      })
      stack.defer(() => presence.stop())
      return presence
    },
    notify: notifierOf(() => config, destinations),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
