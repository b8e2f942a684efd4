// What follows when a model cannot answer now: whether the run waits for it, asks in another tier, goes on with another model, or the attempt fails.
import type { FailureCode } from '../../failure-codes.ts'
import type { Failure } from '../../failure.ts'
import { askedMs } from '../../../lib/time/foreign.ts'

/** What a job says of it. */
export interface RelayPolicy {
  onNoRoom: 'wait' | 'default'
  onRateLimit: 'wait' | 'fallback'
}

export interface Refused {
  failure: Pick<Failure, 'code' | 'retryAfterMs'>
  policy: RelayPolicy
  /** Another model is there that may go on. */
  hasNext: boolean
  /** Waits for this answer so far. */
  waits: number
  /** Time of the attempt in which a turn may still begin, in ms: now, and when the answer was first refused. */
  leftMs: number
  leftAtFirstMs: number
}

export type Step = { kind: 'wait'; waitMs: number } | { kind: 'default-tier' } | { kind: 'next-model' } | { kind: 'fail' }

/** Failures of a model that do not come of what it was asked, and for which another one can answer: it is down, or its quota is used up. */
const OF_MODEL_ALONE: readonly FailureCode[] = ['MODEL_UNAVAILABLE', 'MODEL_QUOTA']

const NO_ROOM_MS = 5000
const RATE_MS = 1000
const MAX_GROWN_MS = 120_000
/** Who was refused together does not come again together. */
const JITTER = 0.2
/** Share of the time for which a run waits for room before it asks in the default tier: the rest is for its work. */
const ROOM_SHARE = 0.5

/** What follows. `random` is in [0, 1) and lengthens waits by up to 20 %. */
export function nextStep(refused: Refused, random = Math.random()): Step {
  const { failure, policy, hasNext } = refused
  switch (failure.code) {
    case 'MODEL_NO_ROOM':
      return stepForRoom(refused, random)
    case 'MODEL_RATE_LIMITED':
      return policy.onRateLimit === 'fallback' && hasNext ? { kind: 'next-model' } : stepForRate(refused, random)
    default:
      return hasNext && OF_MODEL_ALONE.includes(failure.code) ? { kind: 'next-model' } : { kind: 'fail' }
  }
}

/** Without a time that the provider names, at growing intervals. */
function stepForRoom({ failure, policy, waits, leftMs, leftAtFirstMs }: Refused, random: number): Step {
  const waitMs = waitOf(askedMs(failure.retryAfterMs) ?? NO_ROOM_MS, waits, random)
  const keptMs = policy.onNoRoom === 'default' ? leftAtFirstMs * (1 - ROOM_SHARE) : 0
  if (waitMs < leftMs - keptMs) return { kind: 'wait', waitMs }
  return policy.onNoRoom === 'default' ? { kind: 'default-tier' } : { kind: 'fail' }
}

/** Only until a time that the provider names: how long to wait for what nobody names is the retry policy's. */
function stepForRate({ failure, waits, leftMs }: Refused, random: number): Step {
  const named = askedMs(failure.retryAfterMs)
  if (named === undefined) return { kind: 'fail' }
  const waitMs = waitOf(Math.max(named, waits === 0 ? 0 : RATE_MS), waits, random)
  return waitMs < leftMs ? { kind: 'wait', waitMs } : { kind: 'fail' }
}

/** Each next wait is twice as long, up to two minutes; never shorter than what was named. */
const waitOf = (baseMs: number, waits: number, random: number): number =>
  Math.ceil(Math.max(baseMs, Math.min(baseMs * 2 ** Math.min(waits, 20), MAX_GROWN_MS)) * (1 + JITTER * random))

/** Who a later attempt goes on with: the model that answered last, so that it finds its own thoughts and its cache; the first one before any answer. */
export function modelOfLast(
  models: readonly { provider: string; name: string }[],
  last: { provider: string | null; model: string } | undefined,
): number {
  if (!last) return 0
  const of = models.map(({ provider, name }, at) => ({ at, name, isIt: provider === last.provider })).filter(({ isIt }) => isIt)
  // A provider may answer by the name of a version.
  const named = of.filter(({ name }) => last.model.startsWith(name)).toSorted((a, b) => b.name.length - a.name.length)[0]
  return (named ?? of[0])?.at ?? 0
}
