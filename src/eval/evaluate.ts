// Runs the cases of a job by each arm, as often as asked, until all are done or the money is gone.
import pLimit from 'p-limit'
import { Failure, type FailureRecord } from '../core/failure.ts'
import type { FailureCode } from '../core/failure-codes.ts'
import type { Offer } from '../jobs/check.ts'
import type { Job } from '../jobs/job.ts'
import { caseOfArm, jobOfArm, type Arm } from './arms.ts'
import { loadCases, type EvalCase } from './cases/cases.ts'
import { estimateOf, type Estimate, type Planned } from './estimate.ts'
import { createMoneyLimit } from './money-limit.ts'
import { checkRun, type Trial } from './score.ts'
import { isHopeless, runCase, type EvalBench } from './trial.ts'

export interface EvaluateOptions {
  bench: EvalBench
  offer: Offer
  job: Job
  arms: readonly Arm[]
  /** Names of the cases to run; undefined: all. */
  only: readonly string[] | undefined
  /** Runs of each case by each arm. */
  times: number
  /** Most money in USD over all of it; undefined: no limit. */
  maxUsd: number | undefined
  /** Runs at a time. */
  concurrency: number
  /** Called before the first run. */
  onEstimate?: ((estimate: Estimate) => void) | undefined
  onTrial?: ((trial: Trial) => void) | undefined
  /** Called when a run waits for its next attempt, for so long. */
  onWait?: ((waiting: Waiting) => void) | undefined
}

/** A run whose attempt failed for what time may heal. */
export interface Waiting {
  arm: string
  case: string
  repeat: number
  waitMs: number
  failure: FailureRecord
}

export interface Evaluated {
  job: string
  arms: string[]
  trials: Trial[]
  /** Trials that were not begun or not finished, because the money was gone, somebody ended it, or none could have been decided. */
  left: number
  /** Of all runs, also of those that are not among the trials. */
  spentUsd: number
  stoppedBy: 'money' | 'signal' | 'failure' | undefined
  /** What kept a run from its work, and would keep every other one; undefined when nothing did. */
  failure: FailureRecord | undefined
}

/** Evaluates a job. Throws `JOB_INVALID` or `COMMAND_INVALID` before anything is run; what goes wrong in a trial is a part of its result. */
export async function evaluate(options: EvaluateOptions, signal: AbortSignal): Promise<Evaluated> {
  const { bench, job, arms, times, maxUsd } = options
  const twice = arms.find(({ name }, index) => arms.findIndex((arm) => arm.name === name) !== index)
  if (twice) throw new Failure({ code: 'COMMAND_INVALID', message: `The arm ${twice.name} is there twice.` })
  const planned = arms.flatMap((arm) => planOf(arm, options))
  if (maxUsd !== undefined)
    requirePrices(
      planned.map(({ one }) => one),
      options.offer,
    )
  options.onEstimate?.(estimateOf(planned, { job: job.name, times, maxUsd, offer: options.offer }))
  const money = createMoneyLimit(maxUsd)
  const atOnce = pLimit(options.concurrency)
  const trials: Trial[] = []
  const spent = { usd: 0 }
  const hopeless = createHopeless()
  const isOver = () => signal.aborted || hopeless.failure() !== undefined

  async function run({ arm, one }: Planned, repeat: number): Promise<void> {
    if (isOver()) return
    await using share = await money.take(one.definition.limits.costUsd)
    if (share === undefined || isOver()) return
    const { definition } = one
    const costUsd = share.usd
    const limited = { ...one, definition: { ...definition, limits: { ...definition.limits, ...(costUsd !== undefined && { costUsd }) } } }
    const onWait = (waitMs: number, failure: FailureRecord) => options.onWait?.({ arm: arm.name, case: one.name, repeat, waitMs, failure })
    const view = await runCase(bench, limited, job.file, { signal, onWait })
    // A run of which nobody says what it cost may have cost all that it was given.
    const isKnown = !view.usage.estimated && view.turns.every((turn) => turn.costUsd !== null)
    share.spent(isKnown ? (view.cost.usd ?? 0) : (costUsd ?? 0))
    spent.usd += view.cost.usd ?? 0
    // A run that our limit ended and not the job's says nothing of the job.
    const isOurs = costUsd !== definition.limits.costUsd && view.reasons.some(({ code }) => code === 'BUDGET_COST')
    if (signal.aborted || isOurs) return
    const trial: Trial = { arm: arm.name, case: one.name, repeat, run: view, ...checkRun(view, one.expect) }
    trials.push(trial)
    hopeless.note(trial)
    options.onTrial?.(trial)
  }

  // Each case by all arms before the next: what the money is enough for can be compared.
  const rounds = Array.from({ length: times }, (_, index) => index + 1)
  const names = [...new Set(planned.map(({ one }) => one.name))]
  const queue = rounds.flatMap((repeat) =>
    names.flatMap((name) => planned.filter(({ one }) => one.name === name).map((one) => ({ ...one, repeat }))),
  )
  await Promise.all(queue.map((planning) => atOnce(() => run(planning, planning.repeat))))
  const left = queue.length - trials.length
  const place = new Map(queue.map(({ arm, one, repeat }, index) => [`${arm.name} ${one.name} ${repeat}`, index]))
  const placeOf = (trial: Trial) => place.get(`${trial.arm} ${trial.case} ${trial.repeat}`) ?? 0
  return {
    job: job.name,
    arms: arms.map(({ name }) => name),
    trials: trials.toSorted((a, b) => placeOf(a) - placeOf(b)),
    left,
    spentUsd: spent.usd,
    stoppedBy: left === 0 ? undefined : signal.aborted ? 'signal' : hopeless.failure() ? 'failure' : 'money',
    failure: hopeless.failure(),
  }
}

/** Nobody answers there, and nobody did before. */
const UNREACHABLE: readonly FailureCode[] = ['MODEL_UNAVAILABLE', 'GATEWAY_UNREACHABLE']

/** Watches for what would keep every other run from its work as well. */
function createHopeless() {
  /** Arms whose model said something. */
  const atWork = new Set<string>()
  let failure: FailureRecord | undefined
  return {
    note({ arm, verdict, run }: Trial): void {
      if (run.turns.length > 0) atWork.add(arm)
      if (verdict !== 'undecided' || !run.failure) return
      const { code } = run.failure
      if (isHopeless(code) || (UNREACHABLE.includes(code) && !atWork.has(arm))) failure ??= run.failure
    },
    failure: () => failure,
  }
}

function planOf(arm: Arm, { job, offer, only }: EvaluateOptions): Planned[] {
  const cases = loadCases(jobOfArm(job, arm, offer), offer)
  const known = cases.map(({ name }) => name)
  const unknown = only?.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new Failure({ code: 'COMMAND_INVALID', message: `There is no case ${unknown}; there are ${known.join(', ')}.` })
  return cases.filter(({ name }) => only?.includes(name) ?? true).map((one) => ({ arm, one: caseOfArm(one, arm, offer) }))
}

function requirePrices(cases: readonly EvalCase[], offer: Offer): void {
  const unpriced = cases.map(({ definition }) => definition.model).find(({ provider, name, tier }) => !offer.hasPrice(provider, name, tier))
  if (unpriced === undefined) return
  throw new Failure({
    code: 'COMMAND_INVALID',
    message: `The model ${unpriced.name} has no price, so a limit in money cannot be kept.`,
    cure: 'Add it under prices: in the configuration, or leave --max-cost out.',
  })
}
