import { AlarmRefused, type AlarmOptions } from '../audit/alarm.ts'
import type { Config } from '../config/load.ts'
import type { Sender } from '../delivery/destinations/destination.ts'
import { targetOf } from '../delivery/destinations/registry.ts'

/** Sends an alarm to where alarms go; nowhere without `alerts:`. */
export function notifierOf(config: () => Config, destinations: Sender): AlarmOptions['notify'] {
  return async ({ id, body: event }) => {
    const { alerts } = config()
    const target = alerts && targetOf({ webhook: alerts.webhook })
    if (!target) return
    const sent = await destinations.send(target, { id, event, run: undefined })
    if (!sent.ok) throw sent.refused === true ? new AlarmRefused(sent.error) : new Error(sent.error)
  }
}
