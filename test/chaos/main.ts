import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { TAKEN_BACK, unpackRelease } from './release.ts'
import { isClean, isJoined, runChaos } from './chaos.ts'

const HELP = `npm run chaos -- [--runs 300] [--seed 1] [--kills N] [--freezes N] [--longest 20] [--clock] [--queue redis|postgres] [--keep DIR] [--from DIR] [--mixed] [--json]

Runs with side effects on three workers, while workers, Redis and Postgres are killed at random points (kill -9). Counts what must be zero,
and joins the gateway's log with what the store knows.

  --kills    how many; one for eight runs when not given
  --freezes  how often one of them is stopped (SIGSTOP) for up to --longest seconds, and goes on
  --clock    the clock of one worker is set an hour forward and back (needs faketime)
  --keep     leaves configuration, data and logs in DIR
  --from     a checkout of the release before: it does the work at first, and is replaced process by process
  --mixed    whatever is killed comes back as an earlier commit or as this one, with one of two configurations
  --json     print only the counts, as JSON
`
const RUNS_PER_KILL = 8
const PATIENCE_MS = 180_000

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    kills: { type: 'string' },
    queue: { type: 'string', default: 'redis' },
    freezes: { type: 'string', default: '0' },
    longest: { type: 'string', default: '20' },
    clock: { type: 'boolean', default: false },
    keep: { type: 'string' },
    from: { type: 'string' },
    mixed: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const runs = Number(values.runs)
const seed = Number(values.seed)
const kills = values.kills === undefined ? Math.ceil(runs / RUNS_PER_KILL) : Number(values.kills)
const { queue, keep, from, clock } = values
const [freezes, longest] = [Number(values.freezes), Number(values.longest)]
const faketime = clock ? globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')[0] : undefined
if (clock && faketime === undefined) throw new Error('--clock needs faketime, which Debian has as a package.')

function unpackBeside(stack: AsyncDisposableStack): string {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-earlier-'))
  stack.defer(() => rmSync(dir, { recursive: true }))
  const unpacked = unpackRelease(dir, TAKEN_BACK)
  if (unpacked === undefined) throw new Error(`--mixed needs a checkout whose history reaches back to ${TAKEN_BACK}.`)
  return unpacked
}

if (
  !Number.isInteger(runs) ||
  runs < 1 ||
  !Number.isInteger(seed) ||
  !(kills >= 0) ||
  !(freezes >= 0) ||
  !(longest >= 1) ||
  (queue !== 'redis' && queue !== 'postgres')
) {
  process.stderr.write(HELP)
  process.exitCode = 2
} else {
  await using stack = new AsyncDisposableStack()
  const beside = values.mixed ? unpackBeside(stack) : undefined
  const say = (line: string) => process.stderr.write(`${line}\n`)
  const report = await runChaos({
    runs,
    seed,
    kills,
    freezes: { count: freezes, longestMs: longest * 1000 },
    faketime,
    queue,
    patienceMs: PATIENCE_MS,
    keepIn: keep,
    from,
    beside,
    say,
  })
  const { faults, endings, harm, own, about, log } = report
  for (const line of about) say(line)
  say(
    `How they ended: ${Object.entries(endings)
      .map(([ending, n]) => `${n} ${ending}`)
      .join(', ')}.`,
  )
  say(`${harm.attempts} attempts were taken from their worker, and ${harm.calls} calls were under way then.`)
  say(
    `Calls of tools of ours: ${Object.entries(own)
      .map(([tool, n]) => `${n} ${tool}`)
      .join(', ')}.`,
  )
  const counts = {
    runs,
    kills: report.kills,
    freezes: report.freezes,
    ...faults,
    logEvents: log.events,
    logMatched: log.matched,
    logUnexplained: log.unexplained,
    logMissing: log.missing,
  }
  process.stdout.write(
    values.json
      ? `${JSON.stringify(counts)}\n`
      : `${Object.entries(counts)
          .map(([name, n]) => `${name} ${n}`)
          .join(', ')}\n`,
  )
  process.exitCode = isClean(faults) && isJoined(log) ? 0 : 1
}
