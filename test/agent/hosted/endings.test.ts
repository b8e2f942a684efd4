import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { OPENAI_HABITS } from '../../../src/demo/model/vendors/habits.ts'
import { hostedApp, hostedJob, type HostedApp } from '../../support/app/hosted.ts'

// A hosted run has no tools of ours: its endings stand in its answer.

const OUTPUT =
  'output: { schema: { type: object, properties: { total: { type: integer } }, required: [total], additionalProperties: false } }'
const LOOK = 'call counting__look {"n": 1}'
const incomplete = { because: 'missing_data', what: 'No March.', tried: 'One look.' }
const NEEDED = 'counting: { allow: [act, look], repeatable: [look] }'

test.each([
  ['with a schema', OUTPUT],
  ['without one', ''],
])('an answer that says it could not be done is not green (%s)', async (_, more) => {
  await using one = await hostedApp(`${LOOK}\nsay ${JSON.stringify({ result: null, incomplete, nothing_new: null })}`, {
    job: hostedJob(more),
  })
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'incomplete',
    reasons: [{ code: 'MODEL_INCOMPLETE', message: expect.stringContaining('No March.') }],
    output: null,
    ending: { kind: 'incomplete', ...incomplete },
  })
  expect(one.testApp.world.model.requests).toHaveLength(1)
})

test('an answer that says there is nothing to report is green, and gives nothing', async () => {
  await using one = await hostedApp(`${LOOK}\nsay {"nothing_new": {"why": "No mail came."}}`, { job: hostedJob(OUTPUT) })
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'succeeded',
    output: null,
    outputText: null,
    ending: { kind: 'nothing-new', why: 'No mail came.' },
  })
})

test.each([
  ['in the envelope', '{"result": {"total": 7}, "incomplete": null, "nothing_new": null}'],
  ['as it is', '{"total": 7}'],
  ['in the envelope, with a slip', '{"result": {"total": "7"}, "incomplete": null}'],
])('a result %s is the output', async (_, said) => {
  await using one = await hostedApp(`${LOOK}\nsay ${said}`, { job: hostedJob(OUTPUT, NEEDED) })
  expect(await one.testApp.run('act')).toMatchObject({ status: 'succeeded', output: { total: 7 }, ending: null })
})

test('nothing is asked for in an envelope where the job speaks for itself', async () => {
  await using one = await hostedApp(`${LOOK}\nsay {"total": 7}`, { job: hostedJob(`contract: none\n${OUTPUT}`) })
  expect(await one.testApp.run('act')).toMatchObject({ status: 'succeeded', output: { total: 7 } })
  const { instructions } = z.looseObject({ instructions: z.string() }).parse(one.testApp.world.model.requests[0])
  expect(instructions).toContain('"required":["total"]')
  expect(instructions).not.toContain('nothing_new')
})

test('an answer from nothing is not green', async () => {
  await using one = await hostedApp('say {"total": 7}', { job: hostedJob(OUTPUT, NEEDED) })
  expect(await one.testApp.run('act')).toMatchObject({ status: 'incomplete', reasons: [{ code: 'NO_TOOL_RESULT' }] })
})

test.each([
  ['asks', 'Which month do you want?', 'The answer asks a question that nobody can answer.'],
  ['promises', 'I will gather the figures and get back to you tomorrow.', 'The answer promises to go on later, and there is no later.'],
])('an answer that %s is not green, and is not sent back', async (_, said, message) => {
  await using one = await hostedApp(`${LOOK}\nsay ${said}`)
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'incomplete',
    outputText: said,
    reasons: [{ code: 'MODEL_INCOMPLETE', message }],
  })
  expect(one.testApp.world.model.requests).toHaveLength(1)
})

const bodySchema = z.looseObject({ input: z.array(z.looseObject({ type: z.string().optional(), role: z.string().optional() })) })

test('a repair is asked for with the calls and results as they were, none of them in our voice', async () => {
  await using one = await hostedApp(`${LOOK}\nsay no JSON\nsay {"total": 7}`, { job: hostedJob(OUTPUT) })
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'succeeded',
    output: { total: 7 },
    turns: [{ told: null }, { told: expect.stringMatching(/^Your answer cannot be used: it is not JSON/) }],
  })
  const { input } = bodySchema.parse(one.testApp.world.model.requests[1])
  expect(input.map(({ type, role }) => role ?? type)).toEqual(['user', 'function_call', 'function_call_output', 'assistant', 'user'])
  expect({ name: input[1]?.['name'], arguments: input[1]?.['arguments'] }).toEqual({ name: 'counting__look', arguments: '{"n":1}' })
})

test('the same call with the same result, again and again, is stopped and answered from what there is', async () => {
  await using one = await hostedApp(`${Array.from({ length: 9 }, () => LOOK).join('\n')}\nsay so far`)
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({ status: 'incomplete', outputText: 'so far' })
  // The provider may have begun one more call before the stop reached it; of that one nobody knows what came of it.
  expect(run.reasons.map(({ code }) => code).filter((code) => code !== 'OUTCOME_UNKNOWN')).toEqual(['LOOP_DETECTED'])
})

describe('an answer that is asked for again', () => {
  test('and is empty then leaves the text there was, and is not green', async () => {
    await using one = await hostedApp(`${LOOK}\nsay about 7\nsay  `, { job: hostedJob(OUTPUT) })
    expect(await one.testApp.run('act')).toMatchObject({
      status: 'incomplete',
      outputText: 'about 7',
      reasons: [{ code: 'OUTPUT_INVALID' }],
    })
  })

  test('after a stop is asked for once as well, as a last one, and ends the run with what it gave', async () => {
    const limits = `${OUTPUT}\nlimits: { toolCalls: 1 }`
    const IGNORES = { habits: { ...OPENAI_HABITS, mostCalls: 'ignored' as const } }
    // The provider comes no further than the call over the limit, and so never says what follows it.
    const calls = `${LOOK}\ncall counting__look {"n": 2}\nsay never`
    const answer: HostedApp['server']['answer'] = ({ arguments: { n } }) => (n === 2 ? new Promise(() => {}) : 'done')
    await using mended = await hostedApp(`${calls}\nsay {"total":"seven"}\nsay {"total":7}`, { job: hostedJob(limits), server: IGNORES })
    mended.server.answer = answer
    const run = await mended.testApp.run('act')
    expect(run).toMatchObject({
      status: 'incomplete',
      output: { total: 7 },
      reasons: [{ code: 'BUDGET_TOOL_CALLS' }, { code: 'OUTCOME_UNKNOWN' }],
    })
    expect(run.turns.map(({ told }) => told?.split('\n').at(-1)?.slice(0, 43))).toEqual([
      undefined,
      '[Nightshift: this is your last answer, beca',
      '[Nightshift: this is your last answer, beca',
    ])
    // The conversation only grows at its end.
    const [, first, second] = mended.testApp.world.model.requests.map((body) => JSON.stringify(bodySchema.parse(body).input).slice(0, -1))
    expect(second?.startsWith(first ?? '')).toBe(true)
    await using empty = await hostedApp(`${calls}\nsay  \nsay  `, { job: hostedJob(limits), server: IGNORES })
    empty.server.answer = answer
    const ended = await empty.testApp.run('act')
    expect(ended).toMatchObject({ status: 'incomplete', outputText: null })
    expect(ended.reasons.map(({ code }) => code)).toEqual(['BUDGET_TOOL_CALLS', 'OUTCOME_UNKNOWN', 'OUTPUT_INVALID'])
  })
})
