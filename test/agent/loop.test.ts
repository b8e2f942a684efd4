import { describe, expect, test } from 'vitest'
import type { Said } from '../support/model/answering-model.ts'
import { hold, type Conversation, type Settings } from '../support/model/conversation.ts'
import { textResult, type Seen } from '../support/mcp/scripted-server.ts'

const act = (n: number): [string, string] => ['shop__act', JSON.stringify({ n })]
const look = (n: number): [string, string] => ['shop__look', JSON.stringify({ n })]
const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }

const outputs = ({ model }: Conversation) =>
  model.asked.at(-1)?.input.flatMap((item) => (item.type === 'function_call_output' ? [item['output']] : []))

describe('the calls of a turn', () => {
  test('that may run twice run a few at a time, and their results come back in their order', async () => {
    await using held = await hold([{ calls: [0, 1, 2, 3, 4, 5, 6].map(look) }, { text: 'done' }], { toolConcurrency: 3 })
    const waiting: Seen[] = []
    let most = 0
    let left = 7
    held.server.on['tools/call'] = (seen) => {
      most = Math.max(most, waiting.push(seen))
      if (waiting.length < Math.min(3, left)) return
      // The last one is answered first, so that order is not luck.
      const answered = waiting.pop()
      left--
      answered?.result(textResult(`result ${String(answered.params?.arguments?.['n'])}`))
      if (waiting.length === left)
        for (const one of waiting.splice(0).toReversed()) one.result(textResult(`result ${String(one.params?.arguments?.['n'])}`))
    }
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
    expect(most).toBe(3)
    expect(outputs(held)).toEqual([0, 1, 2, 3, 4, 5, 6].map((n) => `result ${n}`))
  })

  test('end with the first failure that ends the attempt: those under way are finished, and no other begins', async () => {
    await using held = await hold([{ calls: [0, 1, 2, 3].map(look) }], { toolConcurrency: 2 })
    const second = Promise.withResolvers<Seen>()
    held.server.on['tools/call'] = async (seen) => {
      if (seen.params?.arguments?.['n'] === 1) return second.resolve(seen)
      const other = await second.promise
      seen.res.writeHead(429).end()
      await seen.closed
      other.result(textResult('done'))
    }
    await expect(held.run()).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    expect(held.sent()).toHaveLength(2)
    expect(held.journal.ends.map(({ status }) => status).toSorted()).toEqual(['not_run', 'ok'])
  })

  test('that may not run twice run alone and in order, while those that may run together', async () => {
    const calls = [look(1), look(2), act(3), act(4), look(5), look(6)]
    await using held = await hold([{ calls }, { text: 'done' }])
    const under = new Set<unknown>()
    const together: unknown[][] = []
    const waiting: Seen[] = []
    held.server.on['tools/call'] = (seen) => {
      under.add(seen.params?.arguments?.['n'])
      together.push([...under])
      waiting.push(seen)
      // Reads come in twos; each is answered when both are here, a write at once.
      if (seen.params?.name === 'look' && waiting.length < 2) return
      for (const one of waiting.splice(0)) {
        under.delete(one.params?.arguments?.['n'])
        one.result(textResult(`result ${String(one.params?.arguments?.['n'])}`))
      }
    }
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
    expect(together.filter((some) => some.includes(3) || some.includes(4))).toEqual([[3], [4]])
    expect(together.filter((some) => some.length === 2)).toHaveLength(2)
    expect(outputs(held)).toEqual([1, 2, 3, 4, 5, 6].map((n) => `result ${n}`))
  })

  test('that may not run twice are not made after one that failed; reads are', async () => {
    await using held = await hold([{ calls: [act(1), act(2), look(3)] }, { text: 'done' }])
    held.server.on['tools/call'] = (seen) =>
      seen.params?.name === 'look' ? seen.result(textResult('seen')) : seen.result({ ...textResult('no such row'), isError: true })
    await held.run()
    expect(held.sent()).toEqual([{ n: 1 }, { n: 3 }])
    expect(outputs(held)?.[1]).toContain('not made, because the call before it failed')
  })

  test('begin when the turn is written', async () => {
    await using held = await hold([{ calls: [act(1)] }, { text: 'done' }])
    let written = 0
    held.server.on['tools/call'] = (seen) => {
      written = held.journal.turns.length
      seen.result(textResult('ok'))
    }
    await held.run()
    expect([written, held.journal.turns.map(({ number }) => number)]).toEqual([1, [1, 2]])
  })
})

describe('a limit', () => {
  const calls = (n: number): Said => ({ calls: [act(n)] })
  const limits: [string, Settings, Said[], number][] = [
    ['BUDGET_TURNS', { limits: { turns: 2 } }, [calls(1), calls(2), { text: 'so far' }], 2],
    ['BUDGET_TOOL_CALLS', { limits: { toolCalls: 1 } }, [{ calls: [act(1), act(2)] }, { text: 'so far' }], 1],
    ['BUDGET_TOOL_CALLS', { limits: { toolCalls: 0 } }, [calls(1), { text: 'so far' }], 0],
    ['BUDGET_TOKENS', { limits: { tokens: 20 } }, [calls(1), calls(2), { text: 'so far' }], 2],
    [
      'BUDGET_COST',
      { limits: { costUsd: 0.0002 }, price: { input: 10, cachedInput: 1, output: 10 } },
      [calls(1), calls(2), { text: 'so far' }],
      2,
    ],
    ['DEADLINE', { softDeadline: 0 }, [{ text: 'so far' }], 0],
    ['LOOP_DETECTED', {}, [...Array.from({ length: 7 }, () => calls(1)), { text: 'so far' }], 4],
    ['LOOP_DETECTED', {}, [...[1, 2, 3].map((n): Said => ({ calls: [['shop__fly', `{"n":${n}}`]] })), { text: 'so far' }], 0],
  ]
  test.each(limits)('(%s) gives one last answer without tools, and says why (%#)', async (code, settings, said, sent) => {
    await using held = await hold(said, settings)
    expect(await held.run()).toMatchObject({ text: 'so far', reasons: [{ code }] })
    expect(held.model.asked.map(({ tool_choice: choice }) => choice)).toEqual([...said.slice(1).map(() => undefined), 'none'])
    expect(held.journal.turns.map(({ forcedBy }) => forcedBy?.code)).toEqual([...said.slice(1).map(() => undefined), code])
    expect(held.sent()).toHaveLength(sent)
  })

  test.each(limits)('(%s) makes no call of a model that calls all the same (%#)', async (code, settings, said, sent) => {
    const disobedient = [...said.slice(0, -1), { text: 'so far', calls: [act(99)] }]
    await using held = await hold(disobedient, settings)
    expect(await held.run()).toMatchObject({ text: 'so far', reasons: [{ code }] })
    expect(held.sent()).toHaveLength(sent)
  })

  const within: [string, Settings, Said[]][] = [
    ['turns', { limits: { turns: 2 } }, [calls(1), { text: 'done' }]],
    ['tool calls', { limits: { toolCalls: 2 } }, [{ calls: [act(1), act(2)] }, { text: 'done' }]],
    ['tokens', { limits: { tokens: 20 } }, [calls(1), { text: 'done' }]],
    ['money', { limits: { costUsd: 0.0002 }, price: { input: 10, cachedInput: 1, output: 10 } }, [calls(1), { text: 'done' }]],
    ['repetitions', {}, [...Array.from({ length: 6 }, () => calls(1)), { text: 'done' }]],
  ]
  test.each(within)('of %s that is met and not passed is green', async (_, settings, said) => {
    await using held = await hold(said, settings)
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
  })

  test('tells the model of the calls that it may not make', async () => {
    await using held = await hold([{ calls: [act(1), act(2)] }, { text: 'so far' }], { limits: { toolCalls: 1 } })
    await held.run()
    expect(outputs(held)).toEqual(['done', expect.stringContaining('may make no more tool calls')])
  })

  test('counts what was used', async () => {
    await using held = await hold([calls(1), { text: 'done' }], { price: { input: 10, cachedInput: 1, output: 10 } })
    expect(await held.run()).toMatchObject({ usage: { inputTokens: 18, outputTokens: 2 }, costUsd: 0.0002 })
  })

  test('that leaves no usable answer says both', async () => {
    await using held = await hold([calls(1), { text: 'not JSON' }, { text: 'not JSON' }], { limits: { turns: 1 }, schema })
    const { text, output, reasons } = await held.run()
    expect([text, output, reasons.map(({ code }) => code)]).toEqual(['not JSON', undefined, ['BUDGET_TURNS', 'OUTPUT_INVALID']])
  })
})

describe('mistakes', () => {
  const wrong = (n: number): [string, string] => ['shop__fly', JSON.stringify({ n })]

  test('of one turn, however many, can be corrected', async () => {
    await using held = await hold([{ calls: [1, 2, 3, 4, 5].map(wrong) }, { calls: [act(1)] }, { text: 'done' }])
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
  })

  test('of three whole turns in a row end the conversation', async () => {
    await using held = await hold([1, 2, 3].map((n): Said => ({ calls: [wrong(n), wrong(9)] })).concat({ text: 'sorry' }))
    expect(await held.run()).toMatchObject({
      text: 'sorry',
      reasons: [{ code: 'LOOP_DETECTED', message: 'Every call of 3 turns in a row was faulty.' }],
    })
  })

  test('with a good call between or beside them do not', async () => {
    const turns: Said[] = [[wrong(1)], [wrong(2)], [act(1)], [wrong(3)], [act(2), wrong(4)], [wrong(5)]].map((calls) => ({ calls }))
    await using held = await hold([...turns, { text: 'done' }])
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
  })
})
