import { expect, test } from 'vitest'
import { createRelay, type Choice } from '../../../src/agent/relay/relay.ts'
import { Failure } from '../../../src/core/failure.ts'
import type { FailureCode } from '../../../src/core/failure-codes.ts'
import type { Api, ModelSettings } from '../../../src/core/models/settings.ts'
import type { RelayPolicy } from '../../../src/core/rules/models/next.ts'
import type { ModelRequest } from '../../../src/models/model.ts'

const request: ModelRequest = { instructions: undefined, prompt: 'Do it.', exchanges: [], tools: [], mayCall: true, output: undefined }
const MINUTE = 60_000

/** What a model does, one request after the other: fail so, or answer. After the last it does that again. */
type Doing = readonly (FailureCode | 'answers' | { code: FailureCode; retryAfterMs: number })[]

function choice(provider: string, doing: Doing, asked: string[], api: Api = 'responses'): Choice {
  let times = 0
  return {
    provider,
    name: `${provider}-model`,
    api,
    price: { input: 1, cachedInput: 1, output: 1 },
    model: {
      async respond({ settings }, signal) {
        asked.push(`${provider} ${settings?.tier ?? '-'}`)
        signal.throwIfAborted()
        const does = doing[Math.min(times++, doing.length - 1)] ?? 'answers'
        if (does !== 'answers') {
          const failure = typeof does === 'string' ? { code: does } : does
          throw new Failure({ message: `${provider} cannot.`, ...failure })
        }
        return { items: [], stopReason: 'end', usage: null, responseId: null, providerRequestId: null, model: provider }
      },
    },
  }
}

function open(
  models: Record<string, Doing>,
  {
    policy = {},
    settings = {},
    leftMs = MINUTE,
    start = 0,
  }: { policy?: Partial<RelayPolicy>; settings?: ModelSettings; leftMs?: number; start?: number } = {},
) {
  const asked: string[] = []
  const told: string[] = []
  const relay = createRelay({
    choices: Object.entries(models).map(([provider, doing]) => choice(provider, doing, asked)),
    start,
    policy: { onNoRoom: 'wait', onRateLimit: 'wait', ...policy },
    until: performance.now() + leftMs,
    warn: (message) => told.push(message),
  })
  const ask = (signal = new AbortController().signal) => relay.model.respond({ ...request, settings }, signal)
  return { asked, told, ask, inUse: relay.inUse }
}

test('a model that is down gives way to the next one, which goes on; the turn says both', async () => {
  const relay = open({ first: ['MODEL_UNAVAILABLE'], second: ['answers'] })
  expect(await relay.ask()).toMatchObject({
    provider: 'second',
    waits: [{ provider: 'first', model: 'first-model', code: 'MODEL_UNAVAILABLE', next: 'second/second-model' }],
  })
  expect(relay.inUse()).toMatchObject({ provider: 'second', name: 'second-model' })
  // Later turns are its own, and have nothing to tell.
  expect(await relay.ask()).not.toHaveProperty('waits')
  expect(relay.asked).toEqual(['first -', 'second -', 'second -'])
  expect(relay.told).toEqual(['The run goes on with the model second/second-model: first cannot.'])
})

test('a flex tier without room is waited for, with one line why, and used once there is room', async () => {
  const none = { code: 'MODEL_NO_ROOM', retryAfterMs: 1 } as const
  const relay = open({ first: [none, none, 'answers'] }, { settings: { tier: 'flex' } })
  expect(await relay.ask()).toMatchObject({ provider: 'first', waits: [{ code: 'MODEL_NO_ROOM' }, { code: 'MODEL_NO_ROOM' }] })
  expect(relay.asked).toEqual(['first flex', 'first flex', 'first flex'])
  expect(relay.told).toEqual([expect.stringContaining('and then asks again: first cannot. Raise limits.deadline')])
  expect(relay.inUse().tier).toBe('flex')
})

test('once half of the time was waited for, a job that says so goes on in the default tier, to its end', async () => {
  const relay = open(
    { first: [{ code: 'MODEL_NO_ROOM', retryAfterMs: 40_000 }, 'answers'] },
    { settings: { tier: 'flex' }, policy: { onNoRoom: 'default' } },
  )
  expect(await relay.ask()).toMatchObject({ waits: [{ next: 'default tier' }] })
  await relay.ask()
  expect(relay.asked).toEqual(['first flex', 'first default', 'first default'])
  expect(relay.inUse().tier).toBe('default')
})

test('a wait that the attempt has no time for is none: the failure is told, with its time', async () => {
  const relay = open({ first: [{ code: 'MODEL_RATE_LIMITED', retryAfterMs: 2 * MINUTE }] })
  await expect(relay.ask()).rejects.toMatchObject({ code: 'MODEL_RATE_LIMITED', retryAfterMs: 2 * MINUTE })
  expect(relay.asked).toHaveLength(1)
})

test('a wait ends with the attempt, for the reason that ended it', async () => {
  const stop = new AbortController()
  const relay = open({ first: [{ code: 'MODEL_RATE_LIMITED', retryAfterMs: 50_000 }] })
  const asking = relay.ask(stop.signal)
  stop.abort(new Failure({ code: 'CANCELLED', message: 'Cancelled.' }))
  await expect(asking).rejects.toMatchObject({ code: 'CANCELLED' })
})

test('when all are down the failure is the last one’s; but time heals what a person need not', async () => {
  await expect(open({ first: ['MODEL_UNAVAILABLE'], second: ['MODEL_UNAVAILABLE'] }).ask()).rejects.toMatchObject({
    message: 'second cannot.',
  })
  await expect(open({ first: ['MODEL_UNAVAILABLE'], second: ['MODEL_AUTH'] }).ask()).rejects.toMatchObject({
    code: 'MODEL_UNAVAILABLE',
    retry: 'later',
  })
  // A setting that the second one does not take, say: it is told of, and the first one may be back.
  const refused = open({ first: ['MODEL_UNAVAILABLE'], second: ['MODEL_REJECTED'] })
  await expect(refused.ask()).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE', retry: 'later' })
  expect(refused.told).toContainEqual(expect.stringContaining('second/second-model cannot go on: second cannot.'))
  await expect(open({ first: ['MODEL_QUOTA'], second: ['MODEL_AUTH'] }).ask()).rejects.toMatchObject({ code: 'MODEL_AUTH' })
  // What does not fit the second one is the conversation's to shorten.
  await expect(open({ first: ['MODEL_UNAVAILABLE'], second: ['CONTEXT_FULL'] }).ask()).rejects.toMatchObject({ code: 'CONTEXT_FULL' })
})

test('a later attempt begins with the model that answered last', async () => {
  const relay = open({ first: ['answers'], second: ['answers'] }, { start: 1 })
  expect(await relay.ask()).toMatchObject({ provider: 'second' })
})

test('a model is asked with what its API has of the settings', async () => {
  const asked: string[] = []
  const relay = createRelay({
    choices: [choice('first', ['MODEL_UNAVAILABLE'], asked), choice('second', ['answers'], asked, 'anthropic')],
    start: 0,
    policy: { onNoRoom: 'wait', onRateLimit: 'wait' },
    until: performance.now() + MINUTE,
    warn: () => {},
  })
  await relay.model.respond({ ...request, settings: { tier: 'flex' } }, new AbortController().signal)
  expect(asked).toEqual(['first flex', 'second -'])
})
