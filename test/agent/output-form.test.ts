import { describe, expect, test } from 'vitest'
import type { Said } from '../support/model/answering-model.ts'
import { hold, type Conversation } from '../support/model/conversation.ts'

// How the answer is asked for, turn by turn, and what is said of one that does not fit.

const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'], additionalProperties: false }
const look: Said = { calls: [['shop__look', '{"n":1}']] }
const answer = (args: unknown): Said => ({ calls: [['nightshift__answer', JSON.stringify(args)]] })

const formats = ({ model }: Conversation) => model.asked.map(({ text }) => text !== undefined)
const toolNames = ({ model }: Conversation, at = 0) => (model.asked[at]?.tools ?? []).map(({ name }) => name)

describe('by the provider’s format', () => {
  test('is asked for from the first turn on where the provider takes both', async () => {
    await using held = await hold([look, { text: '{"n":1}' }], { schema })
    expect(await held.run()).toMatchObject({ output: { n: 1 }, mended: [], reasons: [] })
    expect(formats(held)).toEqual([true, true])
    expect(held.model.asked[0]?.text).toMatchObject({ format: { type: 'json_schema', name: 'output', schema, strict: false } })
  })

  test('is asked for in the last turn alone where a format would keep the model from its tools', async () => {
    await using held = await hold([look, look, { text: '{"n":1}' }], { schema, form: { withTools: false }, limits: { turns: 2 } })
    expect(await held.run()).toMatchObject({ output: { n: 1 }, reasons: [{ code: 'BUDGET_TURNS' }] })
    expect(formats(held)).toEqual([false, false, true])
  })
})

test.each([
  [true, { output: { n: 0 }, reasons: [{ code: 'NO_TOOL_RESULT' }] }, 0],
  [false, { output: { n: 1 }, reasons: [] }, 1],
])('at a provider that calls no tool while a format is asked for (asked for with tools: %s)', async (withTools, result, calls) => {
  const needed = [{ servers: ['shop'], minCalls: 1 }]
  await using held = await hold([look, { text: '{"n":1}' }], { schema, needed, form: { withTools }, formatFirst: '{"n":0}' })
  expect(await held.run()).toMatchObject(result)
  expect(held.sent()).toHaveLength(calls)
})

test('in words, no format is asked for at all', async () => {
  await using held = await hold([look, { text: '{"n":1}' }], { schema, form: { mode: 'prompt' }, limits: { turns: 1 } })
  await held.run()
  expect(formats(held)).toEqual([false, false])
})

describe('by a tool', () => {
  const form = { mode: 'tool' } as const

  test('is the call of that tool, whose parameters are the schema', async () => {
    await using held = await hold([look, answer({ n: 2 })], { schema, form })
    expect(await held.run()).toMatchObject({ text: '{"n":2}', output: { n: 2 }, reasons: [] })
    expect(formats(held)).toEqual([false, false])
    expect(held.model.asked[0]?.tools?.find(({ name }) => name === 'nightshift__answer')).toMatchObject({ parameters: schema })
    expect(held.sent()).toHaveLength(1)
  })

  test('that does not fit is taught in the call’s result, and given again', async () => {
    await using held = await hold([answer({ n: 'two' }), answer({ n: 2 })], { schema, form })
    expect(await held.run()).toMatchObject({ output: { n: 2 }, reasons: [] })
    const told = held.model.asked[1]?.input.at(-1)
    expect(told).toMatchObject({ type: 'function_call_output' })
    expect(String(told?.['output'])).toMatch(/^Error: your answer cannot be used: .*\/n/s)
  })

  test('that is no object stands in one', async () => {
    await using held = await hold([answer({ answer: [1, 2] })], { schema: { type: 'array', items: { type: 'integer' } }, form })
    expect(await held.run()).toMatchObject({ text: '[1,2]', output: [1, 2] })
    await using text = await hold([answer({ answer: 'two' })], { schema: { type: 'string' }, form })
    expect(await text.run()).toMatchObject({ output: 'two' })
  })

  test('beside other calls is not taken before their results are read', async () => {
    const both: Said = { calls: [...(look.calls ?? []), ...(answer({ n: 0 }).calls ?? [])] }
    await using held = await hold([both, answer({ n: 2 })], { schema, form })
    expect(await held.run()).toMatchObject({ output: { n: 2 }, reasons: [] })
    expect(held.sent()).toHaveLength(1)
  })

  test('is the one thing that a last turn may call', async () => {
    await using held = await hold([look, answer({ n: 2 })], { schema, form, limits: { turns: 1 } })
    expect(await held.run()).toMatchObject({ output: { n: 2 }, reasons: [{ code: 'BUDGET_TURNS' }] })
    expect(held.model.asked.map(({ tool_choice: choice }) => choice)).toEqual([undefined, { type: 'function', name: 'nightshift__answer' }])
  })

  test('in a last turn that calls something else first is asked for with no other tool', async () => {
    await using held = await hold([look, look, answer({ n: 2 })], { schema, form, limits: { turns: 1 } })
    expect(await held.run()).toMatchObject({ output: { n: 2 } })
    expect(toolNames(held, 2)).toEqual(['nightshift__answer'])
  })

  test('may be prose all the same, when it fits', async () => {
    await using held = await hold([{ text: '```json\n{"n": 3}\n```' }], { schema, form })
    expect(await held.run()).toMatchObject({ output: { n: 3 }, mended: ['The fence around the JSON was left out.'], reasons: [] })
  })
})

describe('an answer', () => {
  test('with one reading is put right without another turn, and says what was', async () => {
    await using held = await hold([{ text: '{"n":"7",}' }], { schema })
    const { output, mended, reasons } = await held.run()
    expect({ output, reasons }).toEqual({ output: { n: 7 }, reasons: [] })
    expect(mended).toEqual(['A comma before a closing bracket was left out.', '/n was "7" and is read as 7.'])
    expect(held.model.asked).toHaveLength(1)
  })

  test('that was cut is asked for in fewer words, with the limit that cut it', async () => {
    await using held = await hold([{ text: '{"n":', stop: 'cut', tokens: 90 }, { text: '{"n":1}' }], { schema })
    await held.run()
    expect(held.model.asked[1]?.input.at(-1)?.['content']).toMatch(
      /it was cut off at the limit of \d+ tokens for an answer; say the same in fewer words/,
    )
  })

  test('that does not fit is told where, what stands there and the schema', async () => {
    await using held = await hold([{ text: '{"n":"seven"}' }, { text: '{"n":7}' }], { schema })
    await held.run()
    const told = String(held.model.asked[1]?.input.at(-1)?.['content'])
    expect(told).toContain('/n')
    expect(told).toContain('"seven"')
    expect(told).toContain(JSON.stringify(schema))
  })
})
