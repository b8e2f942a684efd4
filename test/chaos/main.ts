import { parseArgs } from 'node:util'
import { isClean, isJoined, runChaos } from './chaos.ts'

const HELP = `npm run chaos -- [--runs 300] [--seed 1] [--kills N] [--queue redis|postgres] [--keep DIR] [--json]

Runs with side effects on three workers, while workers, Redis and Postgres are killed at random points (kill -9). Counts what must be zero,
and joins the gateway's log with what the store knows.

  --kills    how many; one for eight runs when not given
  --keep     leaves configuration, data and logs in DIR
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
    keep: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const runs = Number(values.runs)
const seed = Number(values.seed)
const kills = values.kills === undefined ? Math.ceil(runs / RUNS_PER_KILL) : Number(values.kills)
const { queue, keep } = values
if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(seed) || !(kills >= 0) || (queue !== 'redis' && queue !== 'postgres')) {
  process.stderr.write(HELP)
  process.exitCode = 2
} else {
  const say = (line: string) => process.stderr.write(`${line}\n`)
  const report = await runChaos({ runs, seed, kills, queue, patienceMs: PATIENCE_MS, keepIn: keep, say })
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
