// A worker may die after any turn, and in the middle of its calls: whoever goes on asks the model in the same bytes.
import { describe, expect, test } from 'vitest'
import type { Said } from '../support/model/answering-model.ts'
import { historyOf, hold, pastTurn, type Conversation, type Settings } from '../support/model/conversation.ts'
import { initializeResult, textResult, type Seen } from '../support/mcp/scripted-server.ts'

const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'], additionalProperties: false }
const needed = [{ servers: ['shop'], minCalls: 1 }]
const look = (...ns: number[]): Said => ({ calls: ns.map((n) => ['shop__look', JSON.stringify({ n })]) })
const act = (n: number): Said => ({ calls: [['shop__act', JSON.stringify({ n })]] })
const own = (name: string, args: unknown): Said => ({ calls: [[`nightshift__${name}`, JSON.stringify(args)]] })
const say = (text: string): Said => ({ text })
const times = (count: number, said: Said): Said[] => Array.from({ length: count }, () => said)

const part = textResult(JSON.stringify({ rows: [27.1], next_cursor: 'b' }))
const byNumber = (answers: Record<number, unknown>) => ({
  'tools/call': (seen: Seen) => seen.result(answers[Number(seen.params?.arguments?.['n'])] ?? textResult('done')),
})
const failing = { 'tools/call': (seen: Seen) => seen.result({ ...textResult('no such row'), isError: true }) }
const withLinks = {
  initialize: (seen: Seen) => seen.result({ ...initializeResult, capabilities: { tools: {}, resources: {} } }),
  'tools/call': (seen: Seen) => seen.result({ content: [{ type: 'resource_link', uri: 'shop://list', name: 'List' }] }),
  'resources/read': (seen: Seen) => seen.result({ contents: [{ uri: 'shop://list', text: 'a,b\n1,2' }] }),
}

const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(50)]).toString('base64')
const image = { content: [{ type: 'image', data: PNG, mimeType: 'image/png' }] }
const large = textResult(JSON.stringify({ rows: Array.from({ length: 500 }, (_, at) => ({ at })), has_more: true }))

const conversations: [what: string, said: Said[], settings?: Settings][] = [
  ['a nudge to do the work', [say('I think 3.'), look(1), say('done')], { needed }],
  ['a look that was none', [own('nothing_new', { why: 'x' }), look(1), own('nothing_new', { why: 'x' })], { needed }],
  ['a nudge to end', [look(1), say('Next I will read the second page.'), say('Two rows.')], { needed }],
  [
    'a reply to a part of a result',
    [look(1), say('27.1'), look(2), say('30')],
    { serve: byNumber({ 1: part, 2: textResult('{"rows":[30]}') }) },
  ],
  ['repairs, with calls between them', [say('no JSON'), look(1), say('{"n":"one"}'), act(2), say('{"n":'), say('{"n":1}')], { schema }],
  [
    'a value that no tool gave',
    [look(1), say('{"n":5}'), say('{"n":7}')],
    { schema, form: { grounded: ['n'] }, serve: byNumber({ 1: textResult('7') }) },
  ],
  [
    'an answer by a call from nothing',
    [own('answer', { n: 1 }), look(1), own('answer', { n: 1 })],
    { schema, needed, form: { mode: 'tool' } },
  ],
  ['an answer by a call, mended', [look(1), own('answer', { n: 'x' }), own('answer', { n: 1 })], { schema, form: { mode: 'tool' } }],
  [
    'what is left, and a last turn that is mended',
    [act(1), act(2), act(3), act(4), say('no JSON'), say('{"n":1}')],
    { schema, limits: { turns: 4 } },
  ],
  ['a last turn that only calls', [{ ...act(1), text: 'Interim.' }, act(2), act(3)], { limits: { turns: 1 } }],
  [
    'a last turn by the calls',
    [{ calls: [...(look(1).calls ?? []), ...(act(2).calls ?? [])] }, say('so far')],
    { limits: { toolCalls: 1 } },
  ],
  ['a last turn by tokens', [act(1), act(2), say('so far')], { limits: { tokens: 20 } }],
  ['repetition, to its end', [...times(7, look(7)), say('so far')]],
  ['one error again and again', [...[1, 2, 3, 4, 5, 6].map((n) => look(n)), say('It fails.')], { serve: failing }],
  [
    'a write that failed, and one that was not sent',
    [{ calls: [...(act(1).calls ?? []), ...(act(2).calls ?? [])] }, say('It fails.')],
    { serve: failing },
  ],
  ['mistakes, to their end', [...[1, 2, 3].map((n): Said => ({ calls: [['shop__fly', `{"n":${n}}`]] })), say('sorry')]],
  [
    'an ending beside another call',
    [{ calls: [...(look(1).calls ?? []), ...(own('nothing_new', { why: 'x' }).calls ?? [])] }, say('done')],
  ],
  [
    'a large result that is read on in',
    [
      look(1),
      own('read_result', { id: 't1c1', path: '/rows/400:402' }),
      own('read_result', { id: 't1c1', search: '499' }),
      own('read_result', { id: 't2c1' }),
      own('read_result', { id: 't9c1' }),
      say('done'),
      say('done, of a part'),
    ],
    { serve: byNumber({ 1: large }) },
  ],
  [
    'a large result of which nothing more is read',
    [look(1), say('done'), say('done')],
    { serve: byNumber({ 1: textResult('x'.repeat(5000)) }) },
  ],
  ['images', [look(1), look(2), say('done')], { serve: byNumber({ 1: image, 2: { content: [...image.content, ...image.content] } }) }],
  ['a wait', [look(1), own('wait', { seconds: 1 }), look(1), say('done')]],
  [
    'what a result links to',
    [look(1), own('read', { server: 'shop', uri: 'shop://list' }), own('read', { server: 'shop', uri: 'shop://none' }), say('done')],
    { serve: withLinks },
  ],
  ['an answer that was cut in a call', [{ ...act(1), text: 'so far', stop: 'cut', reasoning: true }, look(1), say('done')]],
]

describe('an attempt that goes on long after the one before it', () => {
  const DAY_MS = 86_400_000
  const staleAfterMs = 3_600_000
  const noteIn = (held: Conversation, at = 0) =>
    /\[Nightshift: [^\]]*passed since[^\]]*\]/.exec(JSON.stringify(held.model.asked[at]?.input))?.[0]
  const resultOf = (finishedAt: Date) => [{ ...pastTurn(1, [{ result: { text: 'done', truncated: false } }]), finishedAt }]

  test.each([
    [2 * DAY_MS, '2 d'],
    [3 * DAY_MS + 2 * 3_600_000, '3 d 2 h'],
    [staleAfterMs + 30 * 60_000, '1 h 30 min'],
  ])('(%d ms) tells the model how old the results are', async (ms, age) => {
    await using held = await hold([say('done')], { history: resultOf(new Date(Date.now() - ms)), nextTurn: 2, staleAfterMs })
    await held.run()
    const note = `[Nightshift: ${age} passed since the results above; read again what may have changed.]`
    expect([noteIn(held), held.journal.turns[0]?.told]).toEqual([note, note])
  })

  test('says nothing before that', async () => {
    await using held = await hold([say('done')], { history: resultOf(new Date()), nextTurn: 2, staleAfterMs })
    await held.run()
    expect(noteIn(held)).toBeUndefined()
  })

  test('is told of in the same words by the next one, however late that is', async () => {
    const first = resultOf(new Date(Date.now() - 2 * DAY_MS))
    await using second = await hold([look(1), say('done')], { history: first, nextTurn: 2, staleAfterMs })
    await second.run()
    const finishedAt = new Date(Date.now() - 90_000)
    const startedAt = new Date(Number(first[0]?.finishedAt) + 2 * DAY_MS)
    const history = [...first, ...historyOf(second, 1).map((turn) => ({ ...turn, attempt: 2, startedAt, finishedAt }))]
    await using third = await hold([say('done')], { history, nextTurn: 3, staleAfterMs })
    await third.run()
    expect(JSON.stringify(third.model.asked[0])).toBe(JSON.stringify(second.model.asked[1]))
  })
})

/** Each item of the request before stands in the next one, but that the last result or reply may have a note behind it. */
function expectGrown(before: readonly object[], after: readonly object[]): void {
  expect(after.slice(0, Math.max(before.length - 1, 0))).toEqual(before.slice(0, -1))
  const [was, is] = [before.at(-1), after[before.length - 1]].map((item) => JSON.stringify(item ?? {}).slice(0, -2))
  expect(is?.startsWith(was ?? '')).toBe(true)
  const added = is?.slice(was?.length) ?? ''
  if (before.length > 0 && added !== '') expect(added).toMatch(/^(?:\\n)*\[Nightshift: /)
}

test('an answer that was lost counts where it was lost: what is left is told in the same place again', async () => {
  const said = [act(1), act(2), act(3), act(4), say('done')]
  const limits = { tokens: 1000 }
  // Each turn is of 10 tokens: before the third one an answer of half of what the run may use was lost, so that the note stands there.
  const usage = { inputTokens: 500, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0, estimated: true as const }
  const noted = /^\[Nightshift: .*left/m
  await using first = await hold(said.slice(0, 2), { limits })
  await first.run().catch(() => {})
  expect(first.journal.turns.map(({ told }) => noted.test(told ?? ''))).toEqual([false, false])
  const firstTurns = historyOf(first, 2)
  const unseen = [{ attempt: 1, turn: 3, usage }]
  await using second = await hold(said.slice(2, 4), { limits, history: firstTurns, unseen, nextTurn: 3 })
  await second.run().catch(() => {})
  expect(second.journal.turns.map(({ told }) => noted.test(told ?? ''))).toEqual([true, false])
  const history = [...firstTurns, ...historyOf(second, 2).map((turn) => ({ ...turn, attempt: 2 }))]
  await using third = await hold(said.slice(4), { limits, history, unseen, nextTurn: 5 })
  const { usage: used } = await third.run()
  expectGrown(second.model.asked.at(-1)?.input ?? [], third.model.asked[0]?.input ?? [])
  expect(used).toMatchObject({ estimated: true, inputTokens: expect.any(Number) })
  expect(used.inputTokens).toBeGreaterThan(500)
})

describe.each(conversations)('with %s', (_, said, settings = {}) => {
  test('each attempt that goes on asks in the same bytes', async () => {
    await using whole = await hold(said, settings)
    await whole.run()
    const { asked } = whole.model
    expect(asked).toHaveLength(said.length)
    for (const [turn, { input }] of asked.entries()) expectGrown(asked[turn - 1]?.input ?? [], input)
    // Calls that were not made yet are made by the attempt that goes on; of one turn that is enough.
    const losable = whole.journal.calls.findLast(({ repeatable }) => repeatable)?.turn
    for (let turns = 1; turns < asked.length; turns++) {
      for (const lost of turns === losable ? [0, 1] : [0]) {
        const history = historyOf(whole, turns, lost)
        await using again = await hold(said.slice(turns, turns + 1), { ...settings, history, nextTurn: turns + 1 })
        for (const [digest, content] of whole.journal.contents) again.journal.contents.set(digest, content)
        // The provider says one thing more, and refuses what comes after it.
        await again.run().catch(() => {})
        expect(JSON.stringify(again.model.asked[0])).toBe(JSON.stringify(asked[turns]))
        expect(again.journal.turns[0]?.told).toBe(whole.journal.turns[turns]?.told)
      }
    }
  })
})
