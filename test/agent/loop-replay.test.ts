import { describe, expect, test } from 'vitest'
import { SERVER_BUSY, WRITE_REFUSED } from '../../src/core/words/calls.ts'
import { WAIT_CUT } from '../../src/core/words/endings.ts'
import { hold, pastTurn } from '../support/model/conversation.ts'

const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }
const kept = (text: string, truncated = false) => ({ text, truncated })
const said = (text: string) => [{ type: 'message' as const, text }]

describe('going on with a conversation', () => {
  test('makes no finished call again, and tells the model what it gave', async () => {
    const history = [
      pastTurn(1, [
        { status: 'ok', result: kept('one') },
        { status: 'error', result: kept('no such row') },
        { status: 'refused', result: kept('Error: not JSON') },
      ]),
    ]
    await using held = await hold([{ text: 'done' }], { history, nextTurn: 2 })
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [], usage: { inputTokens: 18, outputTokens: 2 } })
    expect(held.sent()).toEqual([])
    expect(held.model.asked[0]?.input.flatMap((item) => (item.type === 'function_call_output' ? [item['output']] : []))).toEqual([
      'one',
      'no such row',
      'Error: not JSON',
    ])
    expect(held.journal.turns.map(({ number }) => number)).toEqual([2])
  })

  test('does not forget what stands against the run', async () => {
    const history = [
      pastTurn(1, [
        { status: 'denied', result: kept('Error: denied'), failure: { code: 'TOOL_DENIED', message: 'Policy denied it.', retry: 'never' } },
        { status: 'ok', result: kept('half', true) },
      ]),
    ]
    await using held = await hold([{ text: 'done' }], { history, nextTurn: 2 })
    expect((await held.run()).reasons).toMatchObject([{ code: 'TOOL_DENIED', message: 'Policy denied it.' }, { code: 'RESULT_TOO_LARGE' }])
  })

  test('makes a call again that was not run, and one that was never begun', async () => {
    const past = pastTurn(1, [{ status: 'not_run' }, {}])
    const history = [{ ...past, calls: past.calls.slice(0, 1) }]
    await using held = await hold([{ text: 'done' }], { history, nextTurn: 2 })
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
    expect(held.sent()).toHaveLength(2)
    expect(held.sent()).toEqual(expect.arrayContaining([{ n: 100 }, { n: 101 }]))
    expect(held.journal.calls).toMatchObject([
      { turn: 1, position: 0 },
      { turn: 1, position: 1 },
    ])
  })

  const open = ['sent', 'unknown'] as const

  test.each(open)('makes a repeatable call again that was %s', async (status) => {
    const history = [pastTurn(1, [{ tool: 'look', repeatable: true, status }])]
    await using held = await hold([{ text: 'done' }], { history, nextTurn: 2 })
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
    expect(held.sent()).toEqual([{ n: 100 }])
  })

  test.each(open)('stops at another call that was %s, and names it', async (status) => {
    const history = [pastTurn(1, [{ status }])]
    await using held = await hold([], { history, nextTurn: 2 })
    await expect(held.run()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', message: expect.stringContaining('The call of act on shop') })
    expect(held.sent()).toEqual([])
  })

  test.each(open)('tells the model of another call that was %s where the job says so, and is not green', async (status) => {
    const history = [pastTurn(1, [{ status }])]
    await using held = await hold([{ text: 'done' }], { history, nextTurn: 2, onUnknown: 'tell-model' })
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [{ code: 'OUTCOME_UNKNOWN' }] })
    expect(held.sent()).toEqual([])
    expect(held.model.asked[0]?.input.at(-1)?.['output']).toContain('Do not repeat it')
  })

  test('makes no call of a turn that is bound to stop', async () => {
    const history = [pastTurn(1, [{ status: 'not_run' }, { status: 'unknown' }])]
    await using held = await hold([], { history, nextTurn: 2 })
    await expect(held.run()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    expect(held.sent()).toEqual([])
  })

  test('makes no call of a turn that was cut or was the last one', async () => {
    const cut = { ...pastTurn(1, [{}], { stopReason: 'cut' }), calls: [] }
    const forced = { ...pastTurn(2, [{}], { forcedBy: { code: 'BUDGET_TURNS', message: 'All used.' } }), calls: [] }
    await using held = await hold([], { history: [cut, { ...forced, items: [...said('so far'), ...forced.items] }], nextTurn: 3 })
    expect(await held.run()).toMatchObject({ text: 'so far', reasons: [{ code: 'BUDGET_TURNS' }] })
    expect([held.sent(), held.model.asked]).toEqual([[], []])
  })

  test('asks nothing when the answer was written already', async () => {
    await using held = await hold([], { history: [pastTurn(1, [], { items: said('{"n": 1}') })], nextTurn: 2, schema })
    expect(await held.run()).toMatchObject({ output: { n: 1 }, reasons: [] })
    expect(held.model.asked).toEqual([])
  })

  test('asks no second time for an answer that was asked for again', async () => {
    const history = [1, 2].map((number) => pastTurn(number, [], { items: said(`answer ${number}`) }))
    await using held = await hold([], { history, nextTurn: 3, schema })
    expect(await held.run()).toMatchObject({ text: 'answer 2', reasons: [{ code: 'OUTPUT_INVALID' }] })
  })

  test('goes on to ask again where it stopped before', async () => {
    await using held = await hold([{ text: '{"n": 1}' }], { history: [pastTurn(1, [], { items: said('nonsense') })], nextTurn: 2, schema })
    expect(await held.run()).toMatchObject({ output: { n: 1 }, reasons: [] })
    expect(held.model.asked[0]?.input.at(-1)).toMatchObject({ role: 'user', content: expect.stringContaining('it is not JSON') })
  })

  test('counts turns and calls of earlier attempts', async () => {
    const done = { status: 'ok', result: kept('ok') } as const
    const history = [pastTurn(1, [done]), pastTurn(2, [done])]
    await using turns = await hold([{ text: 'so far' }], { history, nextTurn: 3, limits: { turns: 2 } })
    expect((await turns.run()).reasons).toMatchObject([{ code: 'BUDGET_TURNS' }])
    await using calls = await hold([{ calls: [['shop__act', '{"n": 1}']] }, { text: 'so far' }], {
      history,
      nextTurn: 3,
      limits: { toolCalls: 2 },
    })
    expect((await calls.run()).reasons).toMatchObject([{ code: 'BUDGET_TOOL_CALLS' }])
    expect(calls.sent()).toEqual([])
  })

  test.each([WAIT_CUT, SERVER_BUSY, WRITE_REFUSED])('does not take a call for a mistake that was not made because of %j', async (text) => {
    const history = [1, 2, 3, 4].map((number) => pastTurn(number, [{ status: 'refused', result: kept(text) }]))
    await using held = await hold([{ text: 'done' }], { history, nextTurn: 5 })
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
  })

  test('does not take calls that were too large for mistakes', async () => {
    const large = {
      status: 'refused',
      result: kept('Error: too large'),
      failure: { code: 'REQUEST_TOO_LARGE', message: 'too large', retry: 'never' },
    } as const
    const history = [1, 2, 3, 4, 5].map((number) => pastTurn(number, [large]))
    await using held = await hold([{ text: 'done' }], { history, nextTurn: 6 })
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
  })
})
