// @ts-nocheck
import { parseArgs } from 'node:util'
import { isatty } from 'node:tty'
import pc from 'picocolors'
import { messageOf } from '../../src/core/failure.ts'
import { renderTable } from '../../src/cli/terminal/table.ts'
import { startServers } from '../support/mcp/servers.ts'
import { runRow, type FaultRow, type Observed, type QueueKind } from './row.ts'
import { faultTable } from './table.ts'

/** One row on one queue, and what came of it. */
interface Played extends Pick<FaultRow, 'name' | 'where' | 'delegate' | 'heals' | 'expected'> {
  queue: QueueKind
  observed: Observed | { error: string }
  asExpected: boolean
}

const ROW_TIMEOUT_MS = 60_000
const AT_A_TIME = 4

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, only: { type: 'string' } } })

await using stack = new AsyncDisposableStack()
const { postgresUrl, redisUrl } = await startServers(stack)
if (redisUrl === undefined)
  process.stderr.write('There is no Redis here: the rows of its queue are left out. Set REDIS_URL or install redis-server.\n')

async function play(row: FaultRow, queue: QueueKind): Promise<Played> {
  const urls = { postgresUrl, redisUrl: queue === 'redis' ? redisUrl : undefined }
  const { name, where, delegate, heals, expected } = row
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<{ error: string }>((done) => {
    timer = setTimeout(() => done({ error: `no end within ${ROW_TIMEOUT_MS / 1000} s` }), ROW_TIMEOUT_MS)
  })
  const observed = await Promise.race([runRow(row, urls).catch((error: unknown) => ({ error: messageOf(error) })), late])
  clearTimeout(timer)
  return { name, where, delegate, heals, expected, queue, observed, asExpected: isSame(expected, observed) }
}

const isSame = (expected: Observed, observed: Played['observed']): boolean =>
  'status' in observed &&
  expected.status === observed.status &&
  expected.code === observed.code &&
  expected.attempts === observed.attempts &&
  expected.effects === observed.effects

const shown = ({ status, code, attempts, effects }: Observed) => [status, code ?? '', String(attempts), String(effects)]

const asked = faultTable
  .filter(({ where }) => values.only === undefined || where === values.only)
  .flatMap((row) => row.backends.flatMap((queue) => (queue === 'postgres' || redisUrl !== undefined ? [{ row, queue }] : [])))
const rows: Played[] = []
let next = 0
async function work(): Promise<void> {
  while (next < asked.length) {
    const index = next++
    const one = asked[index]
    if (one) rows[index] = await play(one.row, one.queue)
  }
}
// Most of a row is waiting, so some are played at a time.
await Promise.all(Array.from({ length: AT_A_TIME }, work))
const unexpected = rows.filter(({ asExpected }) => !asExpected)
const asExpected = rows.length - unexpected.length

if (values.json) process.stdout.write(`${JSON.stringify({ rows, asExpected, unexpected }, null, 2)}\n`)
else {
  const lines = rows.map((row) => [
    row.asExpected ? 'ok' : 'NOT AS EXPECTED',
    `${row.where}: ${row.name}`,
    row.delegate,
    row.queue,
    ...('status' in row.observed ? shown(row.observed) : [row.observed.error, '', '', '']),
    row.heals ? 'yes' : 'no',
  ])
  process.stdout.write(
    `${renderTable({ colors: pc.createColors(isatty(1)) }, ['', 'fault', 'delegate', 'queue', 'status', 'code', 'attempts', 'effects', 'heals'], lines, [6, 7])}\n`,
  )
  process.stdout.write(`${asExpected} of ${rows.length} rows as expected.\n`)
}
process.exitCode = unexpected.length === 0 ? 0 : 1
