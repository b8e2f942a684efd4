import { createReadStream } from 'node:fs'
import { pino } from 'pino'
import { openAudit } from '../../src/app/open/audit.ts'
import { importLog } from '../../src/audit/log/import.ts'
import { matchEvents } from '../../src/audit/join/match.ts'
import { auditReport } from '../../src/audit/report.ts'
import type { Config } from '../../src/config/load.ts'
import type { World } from '../../src/demo/world.ts'

/** What the gateway's log says of the runs. */
export interface LogCounts {
  /** Authorize events. */
  events: number
  matched: number
  /** Must be zero: a line of our account that nothing of ours explains. */
  unexplained: number
  /** Must be zero: a request that was answered, without its line. */
  missing: number
}

/** Reads all of the gateway's log and joins it with what the store knows. */
export async function judgeLog(config: Config, world: World): Promise<LogCounts & { about: string[] }> {
  await world.gateway.flushLog()
  await using audit = await openAudit(config, pino({ level: 'silent' }))
  await importLog(createReadStream(world.logFile), audit)
  await matchEvents({ ...audit, graceMs: 0 })
  // All is over: no line is too young to be told of.
  const { events, matched, unexplained, missing, unexplainedEvents } = await auditReport(audit.db, audit.ours(), { graceMs: 0 })
  return {
    events,
    matched,
    unexplained,
    missing,
    about: unexplainedEvents.map(
      ({ time, requestId, method, host, mcpMethod, mcpTool, runHeader }) =>
        `unexplained: ${time.toISOString()} ${requestId} ${method} ${host} ${mcpMethod ?? ''} ${mcpTool ?? ''} of ${runHeader ?? 'no run'}`,
    ),
  }
}
