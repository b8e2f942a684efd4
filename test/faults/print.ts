import { parseArgs } from 'node:util'
import { isatty } from 'node:tty'
import pc from 'picocolors'
import { longestMs } from '../../scripts/waits.ts'
import { messageOf } from '../../src/core/failure.ts'
import { renderTable } from '../../src/cli/terminal/table.ts'
import { hasRedisServer } from '../support/app/outage.ts'
import { startServers } from '../support/mcp/servers.ts'
import { runRow, type FaultRow, type Observed, type QueueKind } from './row.ts'
import { faultsOf, playSilence, type SilenceOutcome } from './silence/play.ts'
import { playReaders } from './silence/readers.ts'
import { boundMs, nameOf, READER, RUN_MS, SETTINGS, SILENCE_ROWS, type SilenceRow } from './silence/rows.ts'
import { faultTable } from './table.ts'

const HELP = `npm run faults -- [--only PLACE] [--seconds 20] [--json]

Plays each fault that Nightshift promises to name, on each queue, and prints what came of it. Then each silence: to one of two replicas, or to both, a neighbour
says nothing for so many seconds. A silence fails that loses or doubles something, or whose first sign of life comes after its bound.

  --only  the rows of one place: token, gateway, policy, consent, upstream, model, budget, process, silence
`

/** One row on one queue, and what came of it. */
interface Played extends Pick<FaultRow, 'name' | 'where' | 'delegate' | 'heals' | 'expected'> {
  queue: QueueKind
  observed: Observed | { error: string }
  asExpected: boolean
}

interface PlayedSilence {
  name: string
  boundMs: number
  outcome: SilenceOutcome | undefined
  faults: string[]
}

const ROW_TIMEOUT_MS = 60_000
// Most of a row is waiting, so some are played at a time.
const AT_A_TIME = 4
/** Each of these is two processes and two servers of its own. */
const SILENCES_AT_A_TIME = 2

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    seconds: { type: 'string', default: '20' },
    help: { type: 'boolean', default: false },
  },
})
const { only } = values
const silentMs = Number(values.seconds) * 1000

async function playAll<T, R>(items: readonly T[], atATime: number, play: (item: T) => Promise<R>): Promise<R[]> {
  const played: R[] = []
  const left = items.entries()
  const work = async () => {
    for (const [index, item] of left) played[index] = await play(item)
  }
  await Promise.all(Array.from({ length: atATime }, work))
  return played
}

async function playFaults(): Promise<Played[]> {
  const rows = faultTable.filter(({ where }) => only === undefined || where === only)
  if (rows.length === 0) return []
  await using stack = new AsyncDisposableStack()
  const { postgresUrl, redisUrl } = await startServers(stack)
  const asked = rows.flatMap((row) =>
    row.backends.flatMap((queue) => (queue === 'postgres' || redisUrl !== undefined ? [{ row, queue }] : [])),
  )
  return await playAll(asked, AT_A_TIME, async ({ row, queue }) => {
    const { name, where, delegate, heals, expected } = row
    const observed = await observe(row, { postgresUrl, redisUrl: queue === 'redis' ? redisUrl : undefined })
    return { name, where, delegate, heals, expected, queue, observed, asExpected: isSame(expected, observed) }
  })
}

async function observe(row: FaultRow, urls: Parameters<typeof runRow>[1]): Promise<Played['observed']> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<{ error: string }>((done) => {
    timer = setTimeout(() => done({ error: `no end within ${ROW_TIMEOUT_MS / 1000} s` }), ROW_TIMEOUT_MS)
  })
  const observed = await Promise.race([runRow(row, urls).catch((error: unknown) => ({ error: messageOf(error) })), late])
  clearTimeout(timer)
  return observed
}

const isSame = (expected: Observed, observed: Played['observed']): boolean =>
  'status' in observed &&
  expected.status === observed.status &&
  expected.code === observed.code &&
  expected.attempts === observed.attempts &&
  expected.effects === observed.effects

/** Clients of the API that do not read: lost are requests of others meanwhile, and in place of a sign of life stands the end of their connections. */
async function playSlowReaders(): Promise<PlayedSilence> {
  const about = { name: 'a client of the API: asks, and reads nothing', boundMs: 2 * longestMs(READER, SETTINGS) + RUN_MS }
  const { closedMs, unanswered } = await playReaders(about.boundMs)
  return {
    ...about,
    outcome: { endings: {}, lost: unanswered, doubled: 0, harmed: 0, readyz: 200, signMs: closedMs },
    faults: [
      ...(unanswered > 0 ? [`${unanswered} requests of others were not answered`] : []),
      ...(closedMs === undefined ? ['its connection is kept'] : []),
    ],
  }
}

async function playOneSilence(row: SilenceRow): Promise<PlayedSilence> {
  const about = { name: nameOf(row), boundMs: boundMs(row) }
  try {
    const outcome = await playSilence(row, silentMs)
    return { ...about, outcome, faults: faultsOf(row, outcome) }
  } catch (error) {
    return { ...about, outcome: undefined, faults: [messageOf(error)] }
  }
}

const shown = ({ status, code, attempts, effects }: Observed) => [status, code ?? '', String(attempts), String(effects)]
const inSeconds = (ms: number | undefined) => (ms === undefined ? '' : (ms / 1000).toFixed(1))

function print(heads: readonly string[], lines: readonly string[][], right: readonly number[]): void {
  if (lines.length > 0) process.stdout.write(`${renderTable({ colors: pc.createColors(isatty(1)) }, [...heads], [...lines], { right })}\n`)
}

function printFaults(rows: readonly Played[]): void {
  const lines = rows.map((row) => [
    row.asExpected ? 'ok' : 'NOT AS EXPECTED',
    `${row.where}: ${row.name}`,
    row.delegate,
    row.queue,
    ...('status' in row.observed ? shown(row.observed) : [row.observed.error, '', '', '']),
    row.heals ? 'yes' : 'no',
  ])
  print(['', 'fault', 'delegate', 'queue', 'status', 'code', 'attempts', 'effects', 'heals'], lines, [6, 7])
}

function printSilences(silences: readonly PlayedSilence[]): void {
  const lines = silences.map(({ name, boundMs: bound, outcome, faults }) => [
    faults.length === 0 ? 'ok' : faults.join(', '),
    name,
    ...(outcome ? [outcome.lost, outcome.doubled, outcome.readyz].map(String) : ['', '', '']),
    inSeconds(outcome?.signMs),
    inSeconds(bound),
    Object.entries(outcome?.endings ?? {})
      .map(([ending, n]) => `${n} ${ending}`)
      .join(', '),
  ])
  print(['', 'silence', 'lost', 'doubled', '/readyz', 'sign of life, s', 'bound, s', 'ends'], lines, [2, 3, 4, 5, 6])
}

if (values.help) process.stdout.write(HELP)
else {
  if (!hasRedisServer()) process.stderr.write('There is no Redis here: its rows and the silences are left out. Install redis-server.\n')
  const rows = await playFaults()
  const asked = (only === undefined || only === 'silence') && hasRedisServer() ? SILENCE_ROWS : []
  const silences = await playAll(
    [...asked.map((row) => () => playOneSilence(row)), ...(asked.length > 0 ? [playSlowReaders] : [])],
    SILENCES_AT_A_TIME,
    (play) => play(),
  )
  const unexpected = [...rows.filter(({ asExpected }) => !asExpected), ...silences.filter(({ faults }) => faults.length > 0)]
  const asExpected = rows.length + silences.length - unexpected.length
  if (values.json) process.stdout.write(`${JSON.stringify({ rows, silences, asExpected, unexpected }, null, 2)}\n`)
  else {
    printFaults(rows)
    printSilences(silences)
    process.stdout.write(`${asExpected} of ${rows.length + silences.length} rows as expected.\n`)
  }
  process.exitCode = unexpected.length === 0 ? 0 : 1
}
