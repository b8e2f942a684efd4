import { expect, test } from 'vitest'
import type { FailureCode } from '../../../../src/core/failure-codes.ts'
import { modelOfLast, nextStep, type Refused, type Step } from '../../../../src/core/rules/models/next.ts'

const MINUTE = 60_000
const refused = (code: FailureCode, retryAfterMs?: number, more: Partial<Refused> = {}): Refused => ({
  failure: { code, retryAfterMs },
  policy: { onNoRoom: 'wait', onRateLimit: 'wait' },
  hasNext: false,
  waits: 0,
  leftMs: 10 * MINUTE,
  leftAtFirstMs: 10 * MINUTE,
  ...more,
})
const wait = (waitMs: number): Step => ({ kind: 'wait', waitMs })
const fail: Step = { kind: 'fail' }
const next: Step = { kind: 'next-model' }
const toDefault = { onNoRoom: 'default', onRateLimit: 'wait' } as const
const toFallback = { onNoRoom: 'wait', onRateLimit: 'fallback' } as const

const rows: [what: string, refused: Refused, step: Step][] = [
  ['a rate limit is waited for until the time that is named', refused('MODEL_RATE_LIMITED', 30_000), wait(30_000)],
  ['a rate limit whose end nobody names is the retry policy’s', refused('MODEL_RATE_LIMITED'), fail],
  ['one that ends after the attempt is, too', refused('MODEL_RATE_LIMITED', 11 * MINUTE), fail],
  ['one that is named as over is asked again at once', refused('MODEL_RATE_LIMITED', 0), wait(0)],
  ['and then less and less often', refused('MODEL_RATE_LIMITED', 0, { waits: 3 }), wait(8000)],
  ['a rate limit is no reason for another model', refused('MODEL_RATE_LIMITED', 1000, { hasNext: true }), wait(1000)],
  ['unless the job says so', refused('MODEL_RATE_LIMITED', 1000, { hasNext: true, policy: toFallback }), next],
  ['the last model is waited for', refused('MODEL_RATE_LIMITED', 1000, { policy: toFallback }), wait(1000)],
  ['without room, and without a time, the waits grow', refused('MODEL_NO_ROOM'), wait(5000)],
  ['…', refused('MODEL_NO_ROOM', undefined, { waits: 2 }), wait(20_000)],
  ['… up to two minutes', refused('MODEL_NO_ROOM', undefined, { waits: 9 }), wait(2 * MINUTE)],
  ['a longer time that is named counts', refused('MODEL_NO_ROOM', 5 * MINUTE), wait(5 * MINUTE)],
  ['without room to the end the attempt fails', refused('MODEL_NO_ROOM', undefined, { leftMs: 5000 }), fail],
  [
    'no room in a tier is no reason for another model',
    refused('MODEL_NO_ROOM', undefined, { hasNext: true, policy: toFallback }),
    wait(5000),
  ],
  ['half of the time is waited', refused('MODEL_NO_ROOM', undefined, { policy: toDefault, leftMs: 5 * MINUTE + 5001 }), wait(5000)],
  [
    'then the default tier is asked',
    refused('MODEL_NO_ROOM', undefined, { policy: toDefault, leftMs: 5 * MINUTE + 5000 }),
    { kind: 'default-tier' },
  ],
  ['a model that is down gives way', refused('MODEL_UNAVAILABLE', undefined, { hasNext: true }), next],
  ['and one whose quota is used up', refused('MODEL_QUOTA', undefined, { hasNext: true }), next],
  ['the last one that is down fails', refused('MODEL_UNAVAILABLE'), fail],
  ...(['MODEL_AUTH', 'MODEL_NOT_FOUND', 'MODEL_REJECTED', 'MODEL_REFUSED', 'CONTEXT_FULL', 'OUTPUT_INVALID'] as const).map(
    (code): [string, Refused, Step] => [
      `${code} is for a person, or for the run itself`,
      refused(code, undefined, { hasNext: true }),
      fail,
    ],
  ),
]

test.each(rows)('%s', (_, given, step) => {
  expect(nextStep(given, 0)).toEqual(step)
})

test('a wait is never shorter than what was named, and at most a fifth longer', () => {
  const step = nextStep(refused('MODEL_RATE_LIMITED', 10_000), 0.999)
  expect(step.kind === 'wait' && step.waitMs > 10_000 && step.waitMs <= 12_000).toBe(true)
})

const models = [
  { provider: 'openai', name: 'gpt-5.4' },
  { provider: 'openai', name: 'gpt-5.4-mini' },
  { provider: 'local', name: 'qwen' },
]

test.each([
  [undefined, 0],
  [{ provider: 'openai', model: 'gpt-5.4-2026-03-05' }, 0],
  [{ provider: 'openai', model: 'gpt-5.4-mini-2026-03-17' }, 1],
  [{ provider: 'local', model: 'qwen' }, 2],
  [{ provider: 'local', model: '/models/another.gguf' }, 2],
  // Of a version that did not write it.
  [{ provider: null, model: 'qwen' }, 0],
  [{ provider: 'gone', model: 'x' }, 0],
] as const)('after a last turn of %o an attempt goes on with model %i', (last, at) => {
  expect(modelOfLast(models, last)).toBe(at)
})
