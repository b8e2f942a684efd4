// A provider that keeps the window of its model, and conversations that are larger than that.
import { describe, expect, test } from 'vitest'
import type { PastTurn } from '../../../src/core/history.ts'
import { notesIn, notesItem } from '../../../src/core/rules/context/record.ts'
import { SUMMARY_ASK } from '../../../src/core/words/window/aside.ts'
import type { Asked, Said } from '../../support/model/answering-model.ts'
import { historyOf, hold, type Settings } from '../../support/model/conversation.ts'
import { textResult, type Seen } from '../../support/mcp/scripted-server.ts'

const WINDOW = 8000
const NOTES = 'Looked at many rows; t1c1 says 1.'
const rows = (n: number, bytes: number) => `${n}: ${'row '.repeat(bytes / 4)}`
const serving = (bytes: number) => ({
  'tools/call': (seen: Seen) => seen.result(textResult(rows(Number(seen.params?.arguments?.['n']), bytes))),
})
const looks = (turn: number, count = 1): Said => ({
  calls: Array.from({ length: count }, (_, index) => ['shop__look', JSON.stringify({ n: turn * 100 + index })]),
})
const work = (turns: number, count = 1): Said[] => [...Array.from({ length: turns }, (_, turn) => looks(turn + 1, count)), { text: 'done' }]
const settings = (extra: Settings = {}): Settings => ({
  window: { tokens: WINDOW },
  keeps: { window: WINDOW, notes: NOTES },
  limits: { turns: 200, toolCalls: 400 },
  resultBytes: 100_000,
  serve: serving(2000),
  ...extra,
})

const outputs = ({ input }: Asked) => input.flatMap((item) => (item.type === 'function_call_output' ? [String(item['output'])] : []))
const isStub = (text: string) => text.startsWith('[Nightshift: result t')
const isForNotes = (asked: Asked) => JSON.stringify(asked.input.at(-1)).includes(SUMMARY_ASK)

describe('a conversation that nears the window', () => {
  test('has stubs in the place of its oldest results, and is never refused', async () => {
    await using held = await hold(work(24), settings())
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
    expect(held.model.refused).toEqual([])
    const last = held.model.asked.at(-1)
    const texts = last ? outputs(last) : []
    const stubs = texts.filter(isStub).length
    expect(stubs).toBeGreaterThan(0)
    expect(texts.map(isStub)).toEqual(texts.map((_, index) => index < stubs))
    expect(texts[0]).toBe('[Nightshift: result t1c1 of shop__look, 2.0 KB, is put aside; nightshift__read_result reads it again.]')
    expect(held.sent()).toHaveLength(24)
    expect(held.journal.turns.flatMap(({ context }) => (context === undefined ? [] : [context]))).not.toEqual([])
  })

  test('grows at its end alone between two cuts', async () => {
    await using held = await hold(work(30), settings({ serve: serving(2000) }))
    await held.run()
    const { asked } = held.model
    const cuts = held.journal.turns.flatMap(({ context, number }) => (context === undefined ? [] : [number]))
    for (const [index, { input }] of asked.entries()) {
      const before = asked[index - 1]?.input ?? []
      if (index > 0 && !cuts.includes(index + 1)) expect(input.slice(0, before.length)).toEqual(before)
    }
    // One large step at a time: several turns lie between two of them.
    expect(cuts.length).toBeGreaterThan(1)
    expect(cuts.length).toBeLessThan(8)
  })

  test('is summed up by its model where stubs are not enough, and goes on from its notes', async () => {
    await using held = await hold(work(60, 2), settings({ serve: serving(600) }))
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
    expect(held.model.refused).toEqual([])
    const asking = held.model.asked.findIndex(isForNotes)
    const [ask, next] = [held.model.asked[asking], held.model.asked[asking + 1]]
    expect(ask).toMatchObject({ tool_choice: 'none', tools: next?.tools })
    expect(next?.input.slice(0, 3)).toMatchObject([
      { role: 'user', content: 'Do it.' },
      { role: 'assistant', content: NOTES },
      { role: 'user', content: expect.stringMatching(/^\[Nightshift: these are your notes/) },
    ])
    const row = held.journal.turns.find(({ purpose }) => purpose === 'summary')
    expect(row).toMatchObject({ items: [notesItem(NOTES)], told: SUMMARY_ASK, context: { summary: {} }, usage: { outputTokens: 1 } })
    expect(held.sent()).toHaveLength(120)
  })

  test('counts a summary against its limits', async () => {
    await using held = await hold(work(60, 2), settings({ serve: serving(600) }))
    const { usage } = await held.run()
    const { turns } = held.journal
    expect(turns.filter(({ purpose }) => purpose === 'summary').length).toBeGreaterThan(0)
    expect(usage.inputTokens).toBe(held.model.counted.reduce((sum, { inputTokens }) => sum + inputTokens, 0))
    const limits = { turns: 200, toolCalls: 400, tokens: usage.inputTokens - 8000 }
    await using limited = await hold(work(60, 2), settings({ serve: serving(600), limits }))
    await expect(limited.run()).resolves.toMatchObject({ reasons: [{ code: 'BUDGET_TOKENS' }] })
  })

  test('names its results where a model that is asked for notes writes none', async () => {
    await using held = await hold(work(60, 2), settings({ serve: serving(600), keeps: { window: WINDOW, notes: '' } }))
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
    const row = held.journal.turns.find(({ purpose }) => purpose === 'summary')
    expect(notesIn(row?.items ?? [])).toMatch(/^\(No notes were written\. Results so far: .*t\d+c\d of shop__look/)
  })

  test('shows results of the last turn as stubs only where they do not fit beside each other', async () => {
    await using held = await hold([looks(1, 20), { text: 'done' }], settings({ serve: serving(1000) }))
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
    const last = held.model.asked.at(-1)
    const texts = last ? outputs(last) : []
    const stubs = texts.filter(isStub).length
    expect(stubs).toBeGreaterThan(0)
    expect(stubs).toBeLessThan(20)
  })

  test('keeps what it rests on: what a stub stands for is still what a tool gave', async () => {
    const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'], additionalProperties: false }
    const serve = {
      'tools/call': (seen: Seen) =>
        seen.result(textResult(seen.params?.arguments?.['n'] === 100 ? `77123 ${rows(1, 2000)}` : rows(2, 2000))),
    }
    const said = [...Array.from({ length: 16 }, (_, turn) => looks(turn + 1)), { text: '{"n":"x"}' }, { text: '{"n":77123}' }]
    await using held = await hold(said, settings({ serve, schema, form: { grounded: ['n'] } }))
    expect(await held.run()).toMatchObject({ output: { n: 77_123 }, reasons: [] })
    expect(JSON.stringify(held.model.asked.at(-1))).not.toContain('77123 1')
  })
})

describe('a provider that refuses what is too long', () => {
  const silent = { window: undefined, keeps: { window: WINDOW, notes: NOTES, figures: false } }
  test.each([
    ['says its window', { window: undefined }],
    ['says no figure', silent],
    ['keeps a smaller one than is known', { window: { tokens: 50_000 } }],
  ])('and %s is asked again with less, once, and is not refusing any more', async (_, extra) => {
    await using held = await hold(work(40), settings(extra))
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
    expect(held.model.refused).toHaveLength(1)
    expect(held.sent()).toHaveLength(40)
  })

  test('tells a later attempt its window', async () => {
    await using held = await hold(work(20), settings({ window: undefined }))
    await held.run()
    const cut = held.journal.turns.findIndex(({ context }) => context !== undefined)
    const history = historyOf(held, cut + 1)
    await using again = await hold(work(40).slice(20), settings({ window: undefined, history, nextTurn: cut + 2 }))
    expect(await again.run()).toMatchObject({ text: 'done', reasons: [] })
    expect(again.model.refused).toEqual([])
  })

  test('gets a summary where there is no result to put aside', async () => {
    await using held = await hold(work(60, 4), settings({ window: undefined, serve: serving(40) }))
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
    expect(held.journal.turns.filter(({ purpose }) => purpose === 'summary').length).toBeGreaterThan(0)
    expect(held.model.refused.length).toBeLessThanOrEqual(2)
  })

  test('and goes on refusing ends the run, with figures and the cure, after one cut and one summary', async () => {
    await using held = await hold(
      [looks(1), looks(2), { text: 'done' }],
      settings({ prompt: 'x'.repeat(31_400), bare: true, window: undefined }),
    )
    await expect(held.run()).rejects.toMatchObject({
      code: 'CONTEXT_FULL',
      message: expect.stringMatching(
        /About \d+ tokens are to be read, and the model reads 8000, its answer included: the prompt 31 KB, .*what was said and read/,
      ),
      cure: expect.stringContaining('Shorten what is largest of these: the prompt'),
    })
    expect(held.model.refused.length).toBeLessThanOrEqual(4)
    expect(held.sent()).toHaveLength(2)
  })

  test('of a prompt that alone does not fit is asked once, and not at all where no prompt of that size fits', async () => {
    await using told = await hold([], settings({ prompt: 'x'.repeat(40_000), window: undefined }))
    await expect(told.run()).rejects.toMatchObject({ code: 'CONTEXT_FULL', message: expect.stringContaining('the prompt 39 KB') })
    expect(told.model.refused).toHaveLength(1)
    await using known = await hold([], settings({ prompt: 'x'.repeat(80_000) }))
    await expect(known.run()).rejects.toMatchObject({ code: 'CONTEXT_FULL', message: expect.stringContaining('does not fit its window') })
    expect([known.model.refused, known.model.asked]).toEqual([[], []])
  })
})

test('an attempt that goes on asks in the same bytes, wherever the one before it ended', async () => {
  const said = work(40, 2)
  const given = settings({ serve: serving(1000), limits: { turns: 60, toolCalls: 400 } })
  await using whole = await hold(said, given)
  await whole.run()
  const { turns } = whole.journal
  const asked = whole.model.asked
  expect(asked).toHaveLength(turns.length)
  const summaries = turns.flatMap(({ purpose }, index) => (purpose === 'summary' ? [index] : []))
  const cuts = turns.flatMap(({ context, purpose }, index) => (context !== undefined && purpose === undefined ? [index] : []))
  expect([summaries.length > 0, cuts.length > 0]).toEqual([true, true])
  for (const at of [...summaries, ...cuts].flatMap((index) => [index - 1, index, index + 1, index + 2])) {
    if (at < 1 || at >= turns.length) continue
    const answered = turns.slice(0, at).filter(({ purpose }) => purpose === undefined).length
    await using again = await hold(said.slice(answered, answered + 1), { ...given, history: historyOf(whole, at), nextTurn: at + 1 })
    // The provider says one thing more, and refuses what comes after it.
    await again.run().catch(() => {})
    expect(JSON.stringify(again.model.asked[0])).toBe(JSON.stringify(asked[at]))
    expect(again.journal.turns[0]).toMatchObject({ told: turns[at]?.told, number: turns[at]?.number })
    expect(again.journal.turns[0]?.context).toEqual(turns[at]?.context)
  }
})

describe('a worker of a version that knows nothing of what was put aside', () => {
  /** It reads the columns that it knows. */
  const asRead = (history: PastTurn[]): PastTurn[] => history.map((turn) => ({ ...turn, purpose: null, context: null }))

  test('tells the whole conversation, and makes no call again', async () => {
    const given = settings({ serve: serving(1000) })
    await using whole = await hold(work(40, 2), given)
    await whole.run()
    const until = whole.journal.turns.findIndex(({ context }) => context !== undefined) + 1
    expect(whole.journal.turns[until - 1]?.purpose).toBeUndefined()
    const history = asRead(historyOf(whole, until))
    await using earlier = await hold([{ text: 'done' }], { ...given, window: undefined, history, nextTurn: until + 1 })
    expect(await earlier.run()).toMatchObject({ text: 'done', reasons: [] })
    const [first] = earlier.model.asked
    const told = first ? outputs(first) : []
    expect([told.length, told.filter(isStub), earlier.sent()]).toEqual([until * 2, [], []])
  })

  test('takes no summary for an answer: it has no words, so that the model is asked again', async () => {
    const serve = serving(600)
    await using whole = await hold(work(60, 2), settings({ serve }))
    await whole.run()
    const at = whole.journal.turns.findIndex(({ purpose }) => purpose === 'summary')
    const history = asRead(historyOf(whole, at + 1))
    await using earlier = await hold([looks(99), { text: 'done' }], {
      serve,
      limits: { turns: 200, toolCalls: 400 },
      history,
      nextTurn: at + 2,
    })
    const result = await earlier.run()
    expect(result).toMatchObject({ text: 'done', reasons: [] })
    expect(earlier.sent()).toEqual([{ n: 9900 }])
    expect(JSON.stringify(earlier.model.asked[0]?.input.at(-1))).toContain('Your answer cannot be used')
    expect(JSON.stringify(earlier.model.asked)).not.toContain(NOTES)
  })
})
