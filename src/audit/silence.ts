import type { Logger } from 'pino'
import { countLineless, raiseSilence } from '../store/audit/lineless.ts'
import { sendAlarms, type AlarmOptions } from './alarm.ts'

/**
 * The dead man's switch of the log: without lines there is no alarm, so another process than the one that reads them tells when requests of ours have none. Also sends
 * alarms that the follower raised and did not live to send.
 */
export async function watchSilence({
  db,
  graceMs,
  log,
  notify,
}: Pick<AlarmOptions, 'db' | 'graceMs' | 'notify'> & { log: Logger }): Promise<void> {
  const { requests, since } = await countLineless(db, graceMs)
  if (since !== null) {
    const told = await raiseSilence(db, (id) => ({
      specversion: '1.0',
      id,
      source: '/nightshift/audit',
      type: 'nightshift.audit.silent',
      subject: 'log',
      time: new Date().toISOString(),
      datacontenttype: 'application/json',
      data: { requests, since: since.toISOString() },
    }))
    if (told)
      log.error(
        { requests, since: since.toISOString() },
        'Requests of ours have no line in Pomerium’s log: while nobody reads it, a stolen token raises no alarm. See that nightshift audit follow runs and follows the right file.',
      )
  }
  await sendAlarms({ db, log, notify })
}
