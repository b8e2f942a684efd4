import type { Logger } from 'pino'
import { messageOf } from '../core/failure.ts'
import { listUnexplained, type OpenEvent } from '../store/matching.ts'
import { raiseSuspect } from '../store/suspects.ts'
import type { MatchOptions } from './match.ts'

/** Lines of an account of ours that nothing of ours explains. */
export interface Alarm {
  account: string | null
  accountId: string
  events: OpenEvent[]
}

export interface AlarmOptions extends MatchOptions {
  /** How long a request may take to be known to us after its line. */
  graceMs: number
  log: Logger
  /** Tells whoever is to be told. */
  notify: (alarm: Alarm) => Promise<void>
}

const MOST_EVENTS = 20

/** Raises an alarm for each account with new lines that are not explained after the grace time. Each line raises one alarm, once. */
export async function raiseAlarms({ db, ours, graceMs, log, notify, now = () => new Date() }: AlarmOptions): Promise<Alarm[]> {
  const until = new Date(now().getTime() - graceMs)
  const fresh = await listUnexplained(db, ours(), { until, fresh: true })
  const alarms: Alarm[] = []
  for (const [accountId, events] of Map.groupBy(fresh, (event) => event.accountId)) {
    const account = events[0]?.account ?? null
    const calls = events
      .slice(0, MOST_EVENTS)
      .map(({ time, host, mcpMethod, mcpTool, ip, requestId, allowed }) => ({ time, host, mcpMethod, mcpTool, ip, requestId, allowed }))
    log.error(
      { account, accountId, events: events.length, calls },
      'Pomerium let this account make requests that Nightshift did not make: its token may be in other hands.',
    )
    const alarm = { account, accountId, events }
    await notify(alarm).catch((error: unknown) => log.warn({ reason: messageOf(error) }, 'The alarm could not be sent.'))
    await raiseSuspect(db, { accountId, account, events: events.map(({ id }) => id) })
    alarms.push(alarm)
  }
  return alarms
}
