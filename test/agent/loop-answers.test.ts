import { describe, expect, test } from 'vitest'
import type { Said } from '../support/model/answering-model.ts'
import { hold, pastTurn, type Conversation } from '../support/model/conversation.ts'

const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }
const call: Said = { calls: [['shop__act', '{"n": 1}']] }

describe('an answer', () => {
  test('that fits the schema is parsed', async () => {
    await using held = await hold([{ text: '{"n": 1}' }], { schema })
    expect(await held.run()).toMatchObject({ text: '{"n": 1}', output: { n: 1 }, reasons: [] })
  })

  test('of any text will do where there is no schema', async () => {
    await using held = await hold([{ text: 'done' }])
    expect(await held.run()).toMatchObject({ text: 'done', output: undefined, reasons: [] })
  })

  test('may go on with calls after a text', async () => {
    await using held = await hold([{ ...call, text: 'first I look', reasoning: true }, { text: 'done' }])
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
    expect(held.sent()).toEqual([{ n: 1 }])
  })

  const bad: [string, Said, string][] = [
    ['not JSON', { text: 'n is one' }, 'it is not JSON'],
    ['JSON of another shape', { text: '{"n": "one"}' }, '/n is "one"; it must be an integer'],
    ['empty', { text: '' }, 'it is empty'],
    ['blank', { text: ' \n' }, 'it is empty'],
    ['no message at all', {}, 'it is empty'],
  ]
  test.each(bad)('that is %s is asked for again, once, and told what is wrong', async (_, first, why) => {
    await using held = await hold([first, { text: '{"n": 1}' }], { schema })
    expect(await held.run()).toMatchObject({ output: { n: 1 }, reasons: [] })
    expect(held.model.asked[1]?.input.at(-1)).toMatchObject({ role: 'user', content: expect.stringContaining(why) })
  })

  test('that is wrong again is kept as text, and is not green', async () => {
    await using held = await hold([{ text: 'n is one' }, { text: '{"n": "one"}' }], { schema })
    expect(await held.run()).toMatchObject({
      text: '{"n": "one"}',
      output: undefined,
      reasons: [{ code: 'OUTPUT_INVALID', message: expect.stringContaining('/n is "one"; it must be an integer') }],
    })
  })

  test('is asked for again once; after more calls another one may be, and three of a run at most', async () => {
    const wrong = (n: number): Said => ({ text: `n is ${n}` })
    await using held = await hold([wrong(1), call, wrong(2), { text: '{"n": 1}' }], { schema })
    expect(await held.run()).toMatchObject({ output: { n: 1 }, reasons: [] })
    const act = (n: number): Said => ({ calls: [['shop__act', `{"n": ${n}}`]] })
    await using often = await hold([wrong(1), act(1), wrong(2), act(2), wrong(3), act(3), wrong(4)], { schema })
    expect(await often.run()).toMatchObject({ text: 'n is 4', reasons: [{ code: 'OUTPUT_INVALID' }] })
  })

  test('that is empty when it is asked for again leaves the text there was, and is not green', async () => {
    await using held = await hold([{ text: 'n is one' }, { text: '' }], { schema })
    expect(await held.run()).toMatchObject({ text: 'n is one', output: undefined, reasons: [{ code: 'OUTPUT_INVALID' }] })
  })

  test('that is empty again is none', async () => {
    await using held = await hold([{ text: '' }, { text: '' }])
    await expect(held.run()).rejects.toMatchObject({ code: 'OUTPUT_INVALID' })
  })
})

describe('a refusal', () => {
  const refusals: [string, Said, string][] = [
    ['of the model', { refusal: 'I will not' }, 'The model refused: I will not'],
    ['with calls beside it', { ...call, refusal: 'I will not' }, 'The model refused: I will not'],
    ['of the provider’s filter', { text: 'half an ans', stop: 'filtered' }, 'content filter'],
    ['of the filter in the middle of calls', { ...call, stop: 'filtered' }, 'content filter'],
  ]
  test.each(refusals)('%s ends the attempt, and nothing is called', async (_, said, why) => {
    await using held = await hold([said])
    await expect(held.run()).rejects.toMatchObject({ code: 'MODEL_REFUSED', message: expect.stringContaining(why) })
    expect([held.sent(), held.journal.turns.length]).toEqual([[], 1])
  })
})

describe('an answer by a call, in a turn that was refused', () => {
  const answer: Said = { calls: [['nightshift__answer', '{"n":1']] }
  const whole: Said = { calls: [['nightshift__answer', '{"n":1}']] }
  test.each<[string, Said, number]>([
    ['by the provider’s filter, in its midst', { ...answer, stop: 'filtered' }, 9],
    ['by the provider’s filter, after it', { ...whole, stop: 'filtered' }, 9],
    ['by the provider’s filter, in a last turn', { ...whole, stop: 'filtered' }, 1],
    ['by the model', { ...whole, refusal: 'I will not' }, 9],
  ])('%s, is none', async (_, said, turns) => {
    const turn = turns === 1 ? [call, said] : [said]
    await using held = await hold(turn, { schema, form: { mode: 'tool' }, limits: { turns } })
    await expect(held.run()).rejects.toMatchObject({ code: 'MODEL_REFUSED' })
  })
})

describe('an answer that was cut', () => {
  test('runs none of its calls, and is asked for again', async () => {
    await using held = await hold([{ ...call, text: 'so far', stop: 'cut' }, { text: 'done' }])
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
    expect(held.sent()).toEqual([])
    expect(held.model.asked[1]?.input.at(-1)).toMatchObject({ role: 'user', content: expect.stringContaining('it was cut off in a call') })
  })

  test('in its calls twice is kept as text and says so', async () => {
    const cut: Said = { ...call, text: 'so far', stop: 'cut' }
    await using held = await hold([cut, cut])
    expect(await held.run()).toMatchObject({ text: 'so far', reasons: [{ code: 'ANSWER_CUT' }] })
    expect(held.sent()).toEqual([])
  })

  test.each([false, true])('in its calls is asked for again in a conversation that a provider takes (reasoning: %s)', async (reasoning) => {
    await using held = await hold([{ ...call, reasoning, stop: 'cut' }, call, { text: 'done' }])
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
    expect(held.sent()).toEqual([{ n: 1 }])
  })

  test('in its output is asked for again, and green when it is whole then', async () => {
    await using held = await hold([{ text: '{"n": ', stop: 'cut' }, { text: '{"n": 1}' }], { schema })
    expect(await held.run()).toMatchObject({ output: { n: 1 }, reasons: [] })
  })

  test('twice is kept as text and says so', async () => {
    await using held = await hold(
      [
        { text: '{"n": ', stop: 'cut' },
        { text: '{"n": ', stop: 'cut' },
      ],
      { schema },
    )
    const { text, reasons } = await held.run()
    expect([text, reasons.map(({ code }) => code)]).toEqual(['{"n": ', ['ANSWER_CUT', 'OUTPUT_INVALID']])
  })

  test('at the end of a text is an answer, and not green', async () => {
    await using held = await hold([{ text: 'it all began', stop: 'cut' }])
    expect(await held.run()).toMatchObject({ text: 'it all began', reasons: [{ code: 'ANSWER_CUT' }] })
  })
})

describe('the first turn of a job that needs a result', () => {
  const needed = [{ servers: ['shop'], minCalls: 1 }]
  const look = { calls: [['shop__look', '{"n":1}'] as [string, string]] }
  const choices = ({ model }: Conversation) => model.asked.map((one) => one.tool_choice)

  test('begins with a call, and the model is free from then on', async () => {
    await using held = await hold([look, { text: 'done' }], { needed })
    await held.run()
    expect(choices(held)).toEqual(['required', undefined])
  })

  test('is free where no result is needed; a last turn makes no call', async () => {
    await using free = await hold([{ text: 'done' }])
    await free.run()
    expect(choices(free)).toEqual([undefined])
    await using late = await hold([{ text: 'done' }], { needed, softDeadline: 0 })
    await late.run()
    expect(choices(late)).toEqual(['none'])
  })

  test('is not asked for again by an attempt that goes on', async () => {
    await using held = await hold([{ text: 'done' }], { needed, history: [pastTurn(1, [{ tool: 'look' }])], nextTurn: 2 })
    await held.run()
    expect(choices(held)).toEqual([undefined])
  })
})
