import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { CloudEvent } from '../core/cloud-event.ts'
import { describeError } from '../core/failure.ts'
import { listUnexplained, type OpenEvent } from '../store/audit/unexplained.ts'
import { listUnsentAlarms, markAlarmSent, raiseSuspect } from '../store/audit/suspects.ts'
import type { MatchOptions } from './join/match.ts'

/** Lines of an account of ours that nothing of ours explains. */
export interface Alarm {
  account: string | null
  accountId: string
  events: OpenEvent[]
}

export interface AlarmOptions extends MatchOptions {
  /** Grace time: how long after its line a request may still be written by us. */
  graceMs: number
  log: Logger
  /** Sends an alarm. When it throws, the alarm is sent again in the next round, with the same id. */
  notify: (alarm: { id: string; body: CloudEvent }) => Promise<void>
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
    const id = randomUUID()
    await raiseSuspect(db, { accountId, account, events: events.map((event) => event.id) }, { id, body: alarmEvent(alarm, id, now()) })
    alarms.push(alarm)
  }
  for (const unsent of await listUnsentAlarms(db)) {
    try {
      await notify(unsent)
    } catch (error) {
      log.warn({ reason: describeError(error) }, 'The alarm could not be sent; it will be tried again.')
      break
    }
    await markAlarmSent(db, unsent.id)
  }
  return alarms
}

/** An alarm as it is sent. */
const alarmEvent = ({ account, accountId, events }: Alarm, id: string, time: Date): CloudEvent => ({
  specversion: '1.0',
  id,
  source: '/nightshift/audit',
  type: 'nightshift.audit.unexplained',
  subject: account ?? accountId,
  time: time.toISOString(),
  datacontenttype: 'application/json',
  data: { account, accountId, events },
})
