import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { CloudEvent } from '../core/cloud-event.ts'
import { describeError } from '../core/failure.ts'
import type { OurAccount } from '../store/audit/accounts.ts'
import type { Db } from '../store/postgres/db.ts'
import type { OpenEvent } from '../store/audit/join/unexplained.ts'
import { createBadRows } from '../store/bad-rows.ts'
import { listUnsentAlarms, markAlarmSent, putOffAlarm, raiseSuspect } from '../store/audit/suspects.ts'
import { measureTime, type JoinTime, type MatchOptions } from './join/match.ts'
import { eachUnexplained, type UnexplainedFilter } from './join/unexplained.ts'

/** Lines of an account of ours that nothing of ours explains. */
export interface Alarm {
  account: string | null
  accountId: string
  events: OpenEvent[]
}

export interface AlarmOptions extends MatchOptions {
  log: Logger
  /** Sends an alarm. When it throws, the alarm is sent again in the next round, with the same id. */
  notify: (alarm: { id: string; body: CloudEvent }) => Promise<void>
}

/** The receiver said what it will say to every later try. */
export class AlarmRefused extends Error {
  override readonly name = 'AlarmRefused'
}

const MOST_EVENTS = 20
/** Of a text in an alarm: whoever has the token may make a path, or the name of a tool, as long as the gateway lets him. */
const MAX_TEXT = 200
/** Between the second try and the third; the second comes with the next round. Then doubled. */
const FIRST_RETRY_MS = 1000
const MOST_RETRY_MS = 10 * 60_000
/** Alarms of a round that may fail before the rest waits for the next one. */
const MOST_FAILED = 3

/**
 * Raises an alarm for each account with new lines that are not explained after the grace time. Each line raises one alarm, once. `asOf` is when lines were joined last; without it
 * they could not be, and each is taken for unexplained.
 */
export async function raiseAlarms(options: AlarmOptions, asOf: JoinTime | undefined): Promise<Alarm[]> {
  const { db, ours, graceMs, log, notify, now = () => new Date() } = options
  const fresh = await firstUnexplained(db, ours(), {
    graceMs,
    asOf: asOf ?? (await measureTime(db, now())),
    fresh: true,
    doubting: asOf !== undefined,
  })
  const alarms: Alarm[] = []
  const rows = createBadRows({ db, duty: 'alarms', log })
  for (const [accountId, events] of Map.groupBy(fresh, (event) => event.accountId)) {
    const account = events[0]?.account ?? null
    const calls = events
      .slice(0, MOST_EVENTS)
      .map(bounded)
      .map(({ time, host, mcpMethod, mcpTool, ip, requestId, allowed }) => ({ time, host, mcpMethod, mcpTool, ip, requestId, allowed }))
    log.error(
      { account, accountId, events: events.length, calls },
      'Pomerium let this account make requests that Nightshift did not make: its token may be in other hands.',
    )
    const alarm = { account, accountId, events }
    const id = randomUUID()
    const raised = raiseSuspect(
      db,
      { accountId, account, events: events.map((event) => event.id) },
      { id, body: alarmEvent(alarm, id, now()) },
    )
    await raised.then(
      () => alarms.push(alarm),
      (error: unknown) => rows.met(accountId, error),
    )
  }
  await sendAlarms({ db, log, notify })
  return alarms
}

/** The first of them that there are, as many as are told of in one round. */
async function firstUnexplained(db: Db, ours: readonly OurAccount[], filter: UnexplainedFilter): Promise<OpenEvent[]> {
  let first: OpenEvent[] = []
  await eachUnexplained(db, ours, filter, (page) => {
    first = page
    return page.length === 0
  })
  return first
}

/** Sends what is due. One that is refused waits for its next time, and the others go. */
export async function sendAlarms({ db, log, notify }: Pick<AlarmOptions, 'db' | 'log' | 'notify'>): Promise<void> {
  let failed = 0
  for (const { id, body, tries } of await listUnsentAlarms(db)) {
    try {
      await notify({ id, body })
      await markAlarmSent(db, id)
    } catch (error) {
      const retryMs = Math.min(FIRST_RETRY_MS * (2 ** tries - 1), MOST_RETRY_MS)
      const about = { alarm: id, tries: tries + 1, retryMs, reason: describeError(error) }
      const isRefused = error instanceof AlarmRefused
      if (isRefused)
        log.error(about, 'The receiver of alarms refuses this one, and will again: nobody is told. See the webhook of alerts:.')
      else log.warn(about, 'The alarm could not be sent; it will be tried again.')
      await putOffAlarm(db, id, { ms: retryMs, refused: isRefused ? error.message : undefined })
      // It is there, and takes others.
      if (isRefused) continue
      // A receiver that is away is not asked for each.
      if (++failed >= MOST_FAILED) return
    }
  }
}

/** A line with its texts cut. */
const bounded = (event: OpenEvent): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(event).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === 'string' ? value.slice(0, MAX_TEXT).toWellFormed() : value,
    ]),
  )

/** An alarm as it is sent: bounded, whatever was requested. `count` is that of all lines. */
const alarmEvent = ({ account, accountId, events }: Alarm, id: string, time: Date): CloudEvent => ({
  specversion: '1.0',
  id,
  source: '/nightshift/audit',
  type: 'nightshift.audit.unexplained',
  subject: account ?? accountId,
  time: time.toISOString(),
  datacontenttype: 'application/json',
  data: {
    account,
    accountId,
    count: events.length,
    events: events.slice(0, MOST_EVENTS).map(bounded),
  },
})
