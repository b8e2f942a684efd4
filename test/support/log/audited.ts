import { pino } from 'pino'
import { openAudit } from '../../../src/app/open/audit.ts'
import { type App } from '../../../src/app/app.ts'
import { joinEvents } from '../../../src/audit/join/match.ts'
import { openLog, readLog } from '../../../src/audit/read.ts'
import { makeReport } from '../../../src/audit/report.ts'
import type { World } from '../../../src/demo/world.ts'

/** The log's times are whole seconds. */
const AFTER_MS = 2000

/** Reads the gateway's log, joins its lines without a time of grace, and reports. */
export async function audited({ app, world }: { app: App; world: World }) {
  await world.gateway.flushLog()
  await using audit = await openAudit(app.config, pino({ level: 'silent' }))
  await readLog(audit, await openLog(world.logFile), new AbortController().signal)
  const later = { ...audit, graceMs: 0, now: () => new Date(Date.now() + AFTER_MS) }
  await joinEvents(later)
  return await makeReport(later, {})
}
