import { countLogFields } from '../store/audit/fields.ts'
import { showTime } from '../lib/show/time.ts'
import { listGaps } from '../store/audit/log-gaps.ts'
import { gatewayClock } from '../store/audit/join/clock.ts'
import { countLineless } from '../store/audit/lineless.ts'
import type { Db } from '../store/postgres/db.ts'
import { aboutClock, failed, ok, warning, type Finding } from './check.ts'

/** A follower reads a log as it grows, so that lines come within seconds; whoever imports one by hand does it at least so often. */
const LAG_MS = 3_600_000
const DAY_MS = 86_400_000

/** Pomerium’s log: what the lines that were read last have, whether anybody reads it still, what of it may be lost, and how far its clock is from the store’s. */
export async function checkLog(db: Db, graceMs: number): Promise<Finding[]> {
  return [...(await checkLogFields(db, graceMs)), ...(await checkGaps(db)), ...(await checkGatewayClock(db))]
}

/** Times of the last day of which lines may have been lost. */
async function checkGaps(db: Db): Promise<Finding[]> {
  // oxlint-disable-next-line house/steady-clock -- it is compared with times of the gateway's log
  const gaps = await listGaps(db, new Date(Date.now() - DAY_MS))
  return gaps.map(({ file, from, until }) =>
    failed(
      'log',
      `Lines of ${file} from ${showTime(from)} to ${showTime(until)} may be lost: it was cut or replaced, and no copy of it was there.`,
      'If an earlier file of it is somewhere: nightshift audit import FILE. Let rotation keep the last two in the folder of the log.',
    ),
  )
}

/** How far the gateway’s clock is from the store’s, by requests and their lines. The join takes it into account. */
async function checkGatewayClock(db: Db): Promise<Finding[]> {
  const { aheadMs, pairs } = await gatewayClock(db)
  if (aheadMs === null) return []
  const by = `by ${pairs} requests and their lines`
  return [
    aboutClock('The gateway’s clock', `the store’s, ${by}`, aheadMs) ??
      ok('clock', `the gateway’s clock and the store’s are ${Math.round(Math.abs(aheadMs))} ms apart, ${by}`),
  ]
}

const sinceText = (at: Date | null) => (at ? `since ${showTime(at)} ` : '')

/** What Pomerium writes into its log, seen in the lines that were read last, and whether anybody reads it still. */
async function checkLogFields(db: Db, graceMs: number): Promise<Finding[]> {
  const { lines, methods, calls, params, headers, unreadSince } = await countLogFields(db, Math.max(graceMs, LAG_MS))
  if (lines === 0) return [warning('log', 'No line of Pomerium’s log was read yet.', 'Run nightshift audit follow FILE, or audit import.')]
  const { requests, since } = await countLineless(db, graceMs)
  if (since !== null || unreadSince !== null)
    return [
      failed(
        'log',
        `${requests > 0 ? `${requests} requests` : 'Requests'} of ours ${sinceText(since ?? unreadSince)}have no line: does nobody read Pomerium’s log any more?`,
        'See that nightshift audit follow runs and follows the right file; without it no alarm is raised.',
      ),
    ]
  const missing = [
    ...(methods === 0 ? ['mcp-method', 'mcp-tool'] : []),
    ...(calls > 0 && params === 0 ? ['mcp-tool-parameters'] : []),
    ...(headers === 0 ? ['headers.X-Nightshift-Run-Id'] : []),
  ]
  return missing.length === 0
    ? [ok('log', `the latest ${lines} lines have the fields that the join needs`)]
    : [warning('log', `The latest lines lack ${missing.join(', ')}.`, 'Add them to authorize_log_fields in pomerium.yaml.')]
}
