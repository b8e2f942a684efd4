import { describe, expect, test } from 'vitest'
import { textResult } from '../support/mcp/scripted-server.ts'
import { hostedApp, hostedJob } from '../support/app/hosted.ts'
import type { Said } from '../support/model/answering-model.ts'
import { hold, pastTurn, type Conversation, type Settings } from '../support/model/conversation.ts'

// What an answer rests on: a part of a result that said so, or values that no tool gave.

const look = (n: number): Said => ({ calls: [['shop__look', JSON.stringify({ n })]] })
const part = JSON.stringify({ rows: [27.1], next_cursor: 'b' })
const whole = JSON.stringify({ rows: [30], next_cursor: null })

/** Answers calls in turn with these texts. */
async function holdAnswers(said: Said[], results: string[], settings: Settings = {}): Promise<Conversation> {
  const held = await hold(said, settings)
  let at = 0
  held.server.on['tools/call'] = (seen) => seen.result(textResult(results[at++] ?? 'done'))
  return held
}
const lastInput = ({ model }: Conversation) => model.asked.at(-1)?.input.at(-1)

describe('a result that says that it is not the whole', () => {
  const told =
    'The last result of shop__look says that it is not the whole (next_cursor: b). Read the rest, or call it so that all you need fits into one result, and then give the whole result again. If a part is all that was asked for, say in the result that it is one.'

  test('is told of once, and green when the rest is read then', async () => {
    await using held = await holdAnswers([look(1), { text: '27.1' }, look(2), { text: '30' }], [part, whole])
    expect(await held.run()).toMatchObject({ text: '30', reasons: [] })
    expect(held.model.asked[2]?.input.at(-1)).toEqual({ role: 'user', content: told })
  })

  test('is not green when nothing is read after it', async () => {
    await using held = await holdAnswers([look(1), { text: '27.1' }, { text: '27.1' }], [part])
    expect(await held.run()).toMatchObject({ text: '27.1', reasons: [{ code: 'RESULT_PARTIAL' }] })
    expect(held.model.asked).toHaveLength(3)
  })

  test('is enough where the job says so', async () => {
    await using held = await holdAnswers([look(1), { text: '27.1' }], [part], { partial: ['shop'] })
    expect(await held.run()).toMatchObject({ text: '27.1', reasons: [] })
  })

  test.each<[string, Said[], Settings]>([
    ['a last turn', [{ text: '27.1' }], { limits: { turns: 1 } }],
    ['a job that speaks for itself', [{ text: '27.1' }], { bare: true }],
    ['a run with nothing new', [{ calls: [['nightshift__nothing_new', '{"why":"no rows"}']] }], {}],
  ])('is not green in %s either, which is not asked again', async (_, said, settings) => {
    await using held = await holdAnswers([look(1), ...said], [part], settings)
    expect((await held.run()).reasons.map(({ code }) => code)).toContain('RESULT_PARTIAL')
    expect(held.model.asked).toHaveLength(2)
  })

  test('is told of where the answer is a call, too', async () => {
    const schema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] }
    const answer = (n: number): Said => ({ calls: [['nightshift__answer', JSON.stringify({ n })]] })
    const settings: Settings = { schema, form: { mode: 'tool' } }
    await using held = await holdAnswers([look(1), answer(27.1), look(2), answer(30)], [part, whole], settings)
    expect(await held.run()).toMatchObject({ output: { n: 30 }, reasons: [] })
    expect(held.model.asked[2]?.input.at(-1)).toMatchObject({ type: 'function_call_output', output: `Error: ${told}` })
    // As is an answer from nothing, once.
    const needed = [{ servers: ['shop'], minCalls: 1 }]
    await using none = await holdAnswers([answer(5), answer(5)], [], { ...settings, needed })
    expect(await none.run()).toMatchObject({ reasons: [{ code: 'NO_TOOL_RESULT' }] })
    expect(lastInput(none)).toMatchObject({ output: expect.stringContaining('you have not read anything from shop') })
  })

  test('is told of in the same words after a crash', async () => {
    const settings = { limits: { turns: 9 } }
    await using held = await holdAnswers([look(1), { text: '27.1' }, { text: '27.1' }], [part], settings)
    await held.run()
    const calls = [[{ tool: 'look', result: { text: part, truncated: false } }], []]
    const history = held.journal.turns
      .slice(0, 2)
      .map((turn, at) => ({ ...pastTurn(turn.number, calls[at] ?? []), items: turn.items, usage: turn.usage }))
    await using again = await holdAnswers([{ text: '27.1' }], [], { ...settings, history, nextTurn: 3 })
    expect(await again.run()).toMatchObject({ reasons: [{ code: 'RESULT_PARTIAL' }] })
    expect(JSON.stringify(again.model.asked[0]?.input)).toBe(JSON.stringify(held.model.asked[2]?.input))
  })

  test('is told of after an answer without any call was told of', async () => {
    const needed = [{ servers: ['shop'], minCalls: 1 }]
    await using held = await holdAnswers([{ text: '5' }, look(1), { text: '27.1' }, { text: '27.1' }], [part], { needed })
    expect(await held.run()).toMatchObject({ reasons: [{ code: 'RESULT_PARTIAL' }] })
    expect(lastInput(held)).toEqual({ role: 'user', content: told })
  })
})

describe('a value that the job wants from a tool', () => {
  const schema = { type: 'object', properties: { rate: { type: 'number' } }, required: ['rate'] }
  const form = { grounded: ['rate'] }
  const why = 'no result of a tool has these values, and each must be taken from one as it stands there:\n- /rate is 0'

  test('and that no tool gave is asked for again, and green when it stands in a result then', async () => {
    await using held = await holdAnswers([look(1), { text: '{"rate":0}' }, { text: '{"rate":30}' }], [whole], { schema, form })
    expect(await held.run()).toMatchObject({ output: { rate: 30 }, reasons: [] })
    expect(lastInput(held)).toEqual({
      role: 'user',
      content: `Your answer cannot be used: ${why}. Answer again, with the whole corrected answer and nothing else.`,
    })
  })

  test('is kept and not green when it comes again', async () => {
    await using held = await holdAnswers([look(1), { text: '{"rate":0}' }, { text: '{"rate":0}' }], [whole], { schema, form })
    expect(await held.run()).toMatchObject({ output: { rate: 0 }, reasons: [{ code: 'OUTPUT_UNGROUNDED' }] })
  })

  test('is asked for again where the answer is a call', async () => {
    const answer = (rate: number): Said => ({ calls: [['nightshift__answer', JSON.stringify({ rate })]] })
    await using held = await holdAnswers([look(1), answer(0), answer(30)], [whole], { schema, form: { ...form, mode: 'tool' } })
    expect(await held.run()).toMatchObject({ output: { rate: 30 }, reasons: [] })
    expect(lastInput(held)).toMatchObject({ output: expect.stringContaining(why) })
  })

  test('in an answer from nothing is told of as such, once', async () => {
    const needed = [{ servers: ['shop'], minCalls: 1 }]
    await using held = await holdAnswers([{ text: '{"rate":9}' }, { text: '{"rate":9}' }], [], { schema, form, needed })
    expect((await held.run()).reasons.map(({ code }) => code)).toEqual(['NO_TOOL_RESULT', 'OUTPUT_UNGROUNDED'])
    expect(held.model.asked).toHaveLength(2)
  })
})

describe('where the provider calls the servers', () => {
  const LOOK = 'call counting__look {"n": 1}'
  const OUTPUT =
    'output: { grounded: [total], schema: { type: object, properties: { total: { type: integer } }, required: [total], additionalProperties: false } }'

  test('an answer that rests on a part of a result is not green', async () => {
    await using one = await hostedApp(`${LOOK}\nsay 27.1`)
    one.server.answer = () => part
    expect(await one.testApp.run('act')).toMatchObject({ status: 'incomplete', reasons: [{ code: 'RESULT_PARTIAL' }] })
  })

  test('a value that no tool gave is asked for again, once', async () => {
    await using one = await hostedApp(`${LOOK}\nsay {"total": 0}\nsay {"total": 30}`, { job: hostedJob(OUTPUT) })
    one.server.answer = () => whole
    expect(await one.testApp.run('act')).toMatchObject({ status: 'succeeded', output: { total: 30 } })
    await using two = await hostedApp(`${LOOK}\nsay {"total": 0}\nsay {"total": 0}`, { job: hostedJob(OUTPUT) })
    two.server.answer = () => whole
    expect(await two.testApp.run('act')).toMatchObject({
      status: 'incomplete',
      output: { total: 0 },
      reasons: [{ code: 'OUTPUT_UNGROUNDED', message: 'The answer says what no tool gave: /total is 0.' }],
    })
  })
})
