import { InvalidArgumentError, type Command } from 'commander'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { openEval } from '../../../app/open/eval.ts'
import type { Config } from '../../../config/load.ts'
import { Failure } from '../../../core/failure.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { parseArm, PLAIN_ARM, type Arm } from '../../../eval/arms.ts'
import { evaluate, type Evaluated, type EvaluateOptions } from '../../../eval/evaluate.ts'
import { prepareDir, readBaseline, writeFiles } from '../../../eval/files.ts'
import type { Score } from '../../../eval/score.ts'
import { requireJob } from '../../../runs/lookup.ts'
import { configOf, examples, type AddCommand } from '../../options/options.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import { endsInOrder } from '../../terminal/ending.ts'
import { openDemo } from './demo.ts'
import { estimateText, runLog, trialLine, waitingLine } from './progress.ts'
import { addRecord } from './record.ts'
import { reportOf, scoresOf } from './report.ts'

const optionsSchema = z.object({
  arm: z.array(z.custom<Arm>()).default([]),
  case: z.array(z.string()).optional(),
  times: z.number().default(1),
  maxCost: z.number().optional(),
  minRight: z.number().default(0),
  concurrency: z.number().default(4),
  baseline: z.string().optional(),
  out: z.string().optional(),
  demo: z.boolean().default(false),
  modelUrl: z.string().optional(),
  json: z.boolean().default(false),
})
type Options = z.output<typeof optionsSchema>

export const addEval: AddCommand = (program, terminal, done) => {
  const command = program
    .command('eval [job]')
    .description('run the cases of a job, jobs/<job>.cases.yaml, and say how often a green run is right; nothing is delivered')
    .option('--arm <key=value,...>', 'a side to compare: model=PROVIDER/NAME, job=FILE, delegate=local|hosted; may be given again', collect)
    .option('--case <name...>', 'only these cases')
    .option('--times <number>', 'runs of each case by each arm', wholeNumber)
    .option('--max-cost <usd>', 'stop when so much money is spent', amount)
    .option('--baseline <path>', 'an earlier evaluation to compare with: its eval.json, or the directory of it')
    .option('--min-right <share>', 'exit code 1 when fewer runs are right, such as 0.9', share)
    .option('--concurrency <number>', 'runs at a time', wholeNumber)
    .option('--out <dir>', 'where a page for each run goes; a directory of its own under dataDir when not given')
    .option('--demo', 'against the demo’s servers, with scripted models that each have a weakness')
    .option('--model-url <url>', 'with --demo: a server of the Chat API as the provider local, for --arm model=local/NAME')
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      `\nExit codes: 0 no false green and right often enough, 1 not so, 4 when runs were\nnot decided or not begun.\n${examples(
        'nightshift eval labor-report --times 5 --max-cost 3',
        'nightshift eval labor-report --arm model=openai/gpt-5.4-mini --arm model=local/qwen',
        'nightshift eval labor-report --arm job=jobs/labor-report.yaml --arm job=new.yaml',
        'nightshift eval labor-report --baseline evals/last/eval.json --min-right 0.9',
        'nightshift eval --demo',
        'nightshift eval --demo --model-url http://127.0.0.1:11434/v1 --arm model=local/qwen3',
      )}`,
    )
    .action(async (name: string | undefined, given: unknown, own: Command) => {
      const options = optionsSchema.parse(given)
      endsInOrder(terminal.signal)
      await using stack = new AsyncDisposableStack()
      if (name === undefined && !options.demo)
        throw new Failure({
          code: 'COMMAND_INVALID',
          message: 'It is not said which job.',
          cure: 'nightshift eval JOB, or nightshift eval --demo.',
        })
      const demo = options.demo ? stack.use(await openDemo(terminal, options.modelUrl, options.arm)) : undefined
      const config = demo?.config ?? configOf(own, terminal)
      const arms = options.arm.length > 0 ? options.arm : (demo?.arms ?? [PLAIN_ARM])
      const out = options.out ?? join(demo ? tmpdir() : config.dataDir, `eval-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`)
      // The scripted models after the first are wrong on purpose.
      const gated = demo && options.arm.length === 0 ? 1 : arms.length
      done(await run(name ?? demo?.job ?? '', { ...options, arm: arms, out, gated }, config, terminal))
    })
  addRecord(command, terminal, done)
}

async function run(name: string, options: Options & { out: string; gated: number }, config: Config, terminal: Terminal): Promise<number> {
  await using bench = await openEval(config, runLog(terminal))
  const job = requireJob(bench.jobs.jobs, name, bench.jobs.issues)
  const baseline = options.baseline === undefined ? undefined : readBaseline(options.baseline, name)
  const dir = options.out
  const progress = options.json ? undefined : tellProgress(terminal)
  const evaluated = await evaluate(
    {
      bench,
      offer: bench.offer,
      job,
      arms: options.arm,
      only: options.case,
      times: options.times,
      maxUsd: options.maxCost,
      concurrency: options.concurrency,
      ...progress,
      onEstimate(estimate) {
        prepareDir(dir)
        progress?.onEstimate?.(estimate)
      },
    },
    terminal.signal,
  )
  await writeFiles(dir, evaluated)
  const scores = scoresOf(evaluated)
  terminal.out(options.json ? JSON.stringify({ ...evaluated, scores, dir }, null, 2) : reportOf(evaluated, terminal, { baseline, dir }))
  return exitOf(evaluated, scores.slice(0, options.gated), options.minRight)
}

/** What is said while it runs, beside its output. */
function tellProgress(terminal: Terminal): Pick<EvaluateOptions, 'onEstimate' | 'onTrial' | 'onWait'> {
  const progress = { done: 0, of: 0 }
  return {
    onEstimate(estimate) {
      progress.of = estimate.runs
      terminal.err(estimateText(estimate, terminal))
    },
    onTrial: (trial) => terminal.err(trialLine(trial, ++progress.done, progress.of)),
    onWait: (waiting) => terminal.err(waitingLine(waiting)),
  }
}

function exitOf({ left }: Evaluated, scores: readonly Score[], minRight: number): number {
  const isWrong = scores.some(({ falseGreen, right }) => falseGreen.hits > 0 || right.hits < minRight * right.of)
  if (isWrong) return EXIT.failed
  return left > 0 || scores.some(({ undecided }) => undecided > 0) ? EXIT.incomplete : EXIT.ok
}

const collect = (text: string, before: Arm[] = []): Arm[] => [...before, parseArm(text)]

function wholeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1 || number > 1000) throw new InvalidArgumentError('Write a whole number from 1 to 1000.')
  return number
}

function amount(text: string): number {
  const usd = Number(text)
  if (!(usd > 0)) throw new InvalidArgumentError('Write an amount in USD, such as 3 or 0.50.')
  return usd
}

function share(text: string): number {
  const value = Number(text)
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError('Write a share from 0 to 1, such as 0.9.')
  return value
}
