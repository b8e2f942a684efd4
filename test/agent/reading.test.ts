import { describe, expect, test } from 'vitest'
import { hostedApp, hostedJob } from '../support/app/hosted.ts'
import type { Said } from '../support/model/answering-model.ts'
import { historyOf, hold, type Conversation, type Settings } from '../support/model/conversation.ts'
import { textResult, type Seen } from '../support/mcp/scripted-server.ts'

// How a model reads results that are larger than what is shown at once.

const rows = Array.from({ length: 500 }, (_, at) => ({ id: at, city: at === 321 ? 'Utrecht' : 'Delft' }))
const TABLE = JSON.stringify({ rows })
const look: Said = { calls: [['shop__look', '{"n":1}']] }
const read = (args: object): Said => ({ calls: [['nightshift__read_result', JSON.stringify({ id: 't1c1', ...args })]] })
const say = (text: string): Said => ({ text })
const serve = (...results: string[]) => {
  let at = 0
  return { 'tools/call': (seen: Seen) => seen.result(textResult(results[at++] ?? 'done')) }
}
const holdTable = (said: Said[], settings: Settings = {}) => hold(said, { serve: serve(TABLE), ...settings })
const results = ({ model }: Conversation): string[] =>
  (model.asked.at(-1)?.input ?? []).flatMap((item) => (item.type === 'function_call_output' ? [String(item['output'])] : []))

describe('a result that is larger than limits.resultBytes', () => {
  test('is shown by its two ends, with its size, its shape and how to read on', async () => {
    await using held = await holdTable([look, read({ path: '/rows/*/id', count: 1 }), say('done')])
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
    const [shown] = results(held)
    expect(shown).toMatch(
      /^\[Result t1c1 has 13 KB \(JSON: \{rows: array of 500, each \{id: number, city: string\}\}\)\. It is shown in part: the beginning and the end\. Read the rest with nightshift__read_result, or search it, before you say anything that depends on it\.\]\n\{"rows":\[\{"id":0/,
    )
    expect(shown).toMatch(/\n\[12 KB of 13 KB are left out here\]\n.*"id":499,"city":"Delft"\}\]\}$/)
    expect(Buffer.byteLength(shown ?? '')).toBeLessThan(1500)
  })

  test('is read in pages, searched, and cited: what stands in its middle is grounded, and no call of the server more is made', async () => {
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
    const said = [look, read({ search: 'Utrecht' }), read({ path: '/rows/321/city' }), say('{"city":"Utrecht"}')]
    await using held = await holdTable(said, { schema, form: { grounded: ['city'] } })
    expect(await held.run()).toMatchObject({ output: { city: 'Utrecht' }, reasons: [] })
    expect(results(held).slice(1)).toEqual([
      expect.stringMatching(/^\[t1c1: 1 place with "Utrecht"\]\nline 1, byte \d+, a part of it:\n.*"id":321,"city":"Utrecht"/),
      '[t1c1 at /rows/321/city: string]\nUtrecht\n[End]',
    ])
    expect(held.sent()).toHaveLength(1)
    expect(held.journal.requests.filter(({ rpcMethod }) => rpcMethod === 'tools/call')).toHaveLength(1)
    expect(held.journal.calls.map(({ server, tool, repeatable }) => [server, tool, repeatable])).toEqual([
      ['shop', 'look', true],
      ['nightshift', 'read_result', true],
      ['nightshift', 'read_result', true],
    ])
  })

  test('grounds what it holds, also where nobody read that', async () => {
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
    await using held = await holdTable([look, say('{"city":"Utrecht"}'), say('{"city":"Utrecht"}')], {
      schema,
      form: { grounded: ['city'] },
    })
    expect(await held.run()).toMatchObject({ reasons: [] })
    await using other = await holdTable([look, say('{"city":"Paris"}'), say('{"city":"Paris"}'), say('{"city":"Paris"}')], {
      schema,
      form: { grounded: ['city'] },
    })
    expect((await other.run()).reasons.map(({ code }) => code)).toEqual(['OUTPUT_UNGROUNDED'])
  })

  test.each<[string, Said, object]>([
    ['a search that finds nothing', read({ search: 'Paris' }), { city: 'Paris' }],
    ['the heading of a page', read({ line: 1 }), { city: 't1c1: bytes 0 to' }],
    ['a wait', { calls: [['nightshift__wait', '{"seconds":1}']] }, { city: 'Waited 1 s' }],
  ])('does not ground what stands in the words of %s alone', async (_, own, answer) => {
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
    const made = say(JSON.stringify(answer))
    await using held = await holdTable([look, own, made, made, made], { schema, form: { grounded: ['city'] } })
    expect((await held.run()).reasons.map(({ code }) => code)).toEqual(['OUTPUT_UNGROUNDED'])
  })

  test('of which nothing more is read is asked about once, and then taken as it is', async () => {
    await using held = await holdTable([look, say('500 rows'), say('500 rows')])
    expect(await held.run()).toMatchObject({ text: '500 rows', reasons: [] })
    expect(held.model.asked.at(-1)?.input.at(-1)).toEqual({
      role: 'user',
      content:
        'You have seen the beginning and the end of result t1c1 of shop__look, and read nothing of what is between. Read it with nightshift__read_result where your answer depends on it, and then give the whole result again. If the two ends are all that it needs, give the same result again.',
    })
  })

  test('is asked about also where its tool failed after it', async () => {
    const failing = {
      'tools/call': (seen: Seen) => seen.result(held.sent().length === 1 ? textResult(TABLE) : { ...textResult('gone'), isError: true }),
    }
    await using held: Conversation = await holdTable([look, look, say('done'), say('done')], { serve: failing })
    expect(await held.run()).toMatchObject({ text: 'done' })
    expect(String(held.model.asked.at(-1)?.input.at(-1)?.['content'])).toContain('You have seen the beginning and the end of result t1c1')
  })

  test('of which an attempt before read more is not asked about', async () => {
    await using first = await holdTable([look, read({ search: 'Utrecht' })])
    await first.run().catch(() => {})
    await using second = await holdTable([say('done')], { history: historyOf(first, 2), nextTurn: 3 })
    for (const [digest, content] of first.journal.contents) second.journal.contents.set(digest, content)
    expect(await second.run()).toMatchObject({ text: 'done', reasons: [] })
    expect(second.sent()).toEqual([])
  })

  test.each<[string, Said[], Settings]>([
    ['the tool was asked for less after it', [look, look, say('done')], { serve: serve(TABLE, 'few') }],
    ['a part is enough for the job', [look, say('done')], { partial: ['shop'] }],
  ])('is not asked about where %s', async (_, said, settings) => {
    await using held = await holdTable(said, settings)
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
  })

  test('takes the green of a job without tools of ours, which cannot read on', async () => {
    await using held = await holdTable([look, say('done')], { bare: true })
    expect((await held.run()).reasons.map(({ code }) => code)).toEqual(['RESULT_TOO_LARGE'])
  })

  test('that says itself that there is more is told of at once, also where that stands in its middle', async () => {
    const partOf = JSON.stringify({ rows: rows.slice(0, 100), has_more: true, more: rows })
    await using held = await holdTable([look, read({ line: 1 }), say('a part'), say('a part')], { serve: serve(partOf) })
    expect((await held.run()).reasons.map(({ code }) => code)).toEqual(['RESULT_PARTIAL'])
    expect(results(held)[0]).toMatch(
      /\n\n\[Nightshift: the server says that this is not the whole \(has_more: true\)\. Read the rest where the result depends on it, or say in it that it is a part\.\]$/,
    )
  })
})

test('the same call with the same large result again and again ends the run as any repetition does', async () => {
  const looks = Array.from({ length: 7 }, () => look)
  await using held = await holdTable([...looks, say('done'), say('done')], { serve: serve(...looks.map(() => TABLE)) })
  expect((await held.run()).reasons.map(({ code }) => code)).toEqual(['LOOP_DETECTED'])
})

test('the same page that is read twice is no further one, also where it is large', async () => {
  const page = JSON.stringify({ total_count: 1000, rows })
  await using held = await holdTable([look, read({ line: 1 }), look, read({ id: 't3c1' }), say('all'), say('all')], {
    serve: serve(page, page),
  })
  expect((await held.run()).reasons.map(({ code }) => code)).toEqual(['RESULT_PARTIAL'])
})

test.each(['shop__look', 'shop__act'])('results of %s that differ in their middle alone are no repetition', async (name) => {
  const calls = Array.from({ length: 7 }, (): Said => ({ calls: [[name, '{"n":1}']] }))
  const tables = calls.map((_, at) => `${TABLE.slice(0, 6000)}${at}${TABLE.slice(6001)}`)
  await using held = await holdTable([...calls, say('done'), say('done')], { serve: serve(...tables), bare: true })
  expect((await held.run()).reasons.map(({ code }) => code)).toEqual(['RESULT_TOO_LARGE'])
})

describe('reading', () => {
  test('takes nothing from limits.toolCalls, and goes on when they are used up', async () => {
    await using held = await holdTable([look, ...[1, 2, 3].map((at) => read({ path: `/rows/${at}` })), say('done')], {
      limits: { toolCalls: 2 },
    })
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
  })

  test('is bounded in one turn', async () => {
    const many: Said = { calls: Array.from({ length: 60 }, (_, at) => ['nightshift__read_result', `{"id":"t1c1","path":"/rows/${at}"}`]) }
    await using held = await holdTable([look, many, say('done')])
    await held.run()
    const refused = results(held).filter((text) => text.startsWith('Error: not made: this turn has read often enough.'))
    expect(refused).toHaveLength(10)
    expect(held.journal.calls).toHaveLength(51)
  })

  test('the same page again and again ends the run as any repetition does', async () => {
    await using held = await holdTable([look, ...Array.from({ length: 7 }, () => read({ line: 1 })), say('done')])
    expect((await held.run()).reasons.map(({ code }) => code)).toEqual(['LOOP_DETECTED'])
  })

  test.each<[string, object, string]>([
    ['an id that is none', { id: 't7c1' }, 'Error: there is no result t7c1 in this run. The last ones: t1c1.'],
    ['arguments that do not fit', { line: 0 }, 'Error: The arguments do not fit the tool: /line Too small: expected number to be >=1.'],
    ['a line behind the last', { line: 9 }, 'Error: it has 1 line.'],
  ])('of %s says what is wrong', async (_, args, told) => {
    await using held = await holdTable([look, read(args), read({ line: 1 }), say('done')])
    expect(await held.run()).toMatchObject({ reasons: [] })
    expect(results(held)[1]).toBe(told)
  })

  test('reads small results too, and pages of others', async () => {
    await using held = await hold([look, read({}), read({ id: 't2c1' }), say('done')], { serve: serve('27.1') })
    await held.run()
    expect(results(held)).toEqual([
      '27.1',
      '[t1c1: lines 1 to 1 of 1]\n27.1\n[End]',
      '[t2c1: lines 1 to 3 of 3]\n[t1c1: lines 1 to 1 of 1]\n27.1\n[End]\n[End]',
    ])
  })

  test('says that a result is gone that was removed meanwhile', async () => {
    await using held = await holdTable([look, read({}), say('done'), say('done')])
    held.journal.readContent = async () => undefined
    await held.run()
    expect(results(held)[1]).toMatch(/^Error: this result is not kept any more\./)
  })
})

describe('images', () => {
  const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(92)])
  const block = { type: 'image', data: PNG.toString('base64'), mimeType: 'image/png' }
  const serveImages = (images: number) => ({
    'tools/call': (seen: Seen) => seen.result({ content: Array.from({ length: images }, () => block) }),
  })

  test('of a result are kept once, and shown with it', async () => {
    await using held = await hold([look, say('done')], { serve: serveImages(2) })
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
    const words = '[image, image/png, 100 bytes, given with this result]'
    const shown = { type: 'input_image', image_url: `data:image/png;base64,${block.data}`, detail: 'auto' }
    expect(held.model.asked[1]?.input.at(-1)?.['output']).toEqual([{ type: 'input_text', text: `${words}\n${words}` }, shown, shown])
    expect([...held.journal.contents.values()]).toEqual([PNG])
    expect(held.journal.ends[0]?.result?.images).toMatchObject([
      { bytes: 100, mediaType: 'image/png' },
      { bytes: 100, mediaType: 'image/png' },
    ])
  })

  test('that differ are no repetition, whatever is said of them', async () => {
    let at = 0
    const looks = Array.from({ length: 7 }, () => look)
    await using held = await hold([...looks, say('done')], {
      serve: {
        'tools/call': (seen) =>
          seen.result({ content: [{ ...block, data: Buffer.concat([PNG.subarray(0, 99), Buffer.from([at++])]).toString('base64') }] }),
      },
    })
    expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
  })

  test('are given again where their result is read again', async () => {
    await using held = await hold([look, read({}), read({ search: 'image' }), say('done')], { serve: serveImages(1) })
    await held.run()
    const outputs = held.model.asked.at(-1)?.input.flatMap((item) => (item.type === 'function_call_output' ? [item['output']] : [])) ?? []
    expect(outputs.map((one) => JSON.stringify(one).match(/"input_image"/g)?.length ?? 0)).toEqual([1, 1, 0])
  })

  test('beyond what a run may see are left out, and told of', async () => {
    const looks = Array.from({ length: 6 }, (_, n): Said => ({ calls: [['shop__look', `{"n":${n}}`]] }))
    await using held = await hold([...looks, say('done')], { serve: serveImages(10) })
    await held.run()
    expect(JSON.stringify(held.model.asked.at(-1)).match(/"input_image"/g)).toHaveLength(50)
    expect(String(held.model.asked.at(-1)?.input.at(-1)?.['output'])).toContain(
      '[Nightshift: 10 images of this result cannot be given: this run has seen as many as it may.]',
    )
  })
})

describe('of a hosted run', () => {
  test('a result is recorded in full, and green: the provider gave its model all of it', async () => {
    await using one = await hostedApp('call counting__look {}\nsay much', { job: hostedJob('limits: { resultBytes: 1024 }') })
    one.server.answer = () => TABLE
    const run = await one.testApp.run('act')
    expect(run).toMatchObject({
      status: 'succeeded',
      toolCalls: [{ result: { truncated: true, kept: { bytes: TABLE.length, whole: true } } }],
    })
  })
})
