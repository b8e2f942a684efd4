import { describe, expect, test } from 'vitest'
import { promptTexts, resourceBlocks } from '../../src/mcp/content.ts'
import { readAnswer, readResource, type ReadingOptions } from '../../src/mcp/results.ts'
import type { CallAnswer } from '../../src/mcp/session/types.ts'

// What the model reads of each kind of result, to the byte. A change of a word here is a change of what models are told.

const TEN_BYTES = Buffer.from('0123456789').toString('base64')
const options: ReadingOptions = {
  id: 't1c1',
  keptBytes: 1_000_000,
  canRead: true,
  resultBytes: 1000,
  redact: (text) => text,
  results: 'auto',
  hasOwnPage: false,
  readable: true,
}
const text = (...texts: string[]) => texts.map((one) => ({ type: 'text', text: one }))
const result = (value: Record<string, unknown>): CallAnswer => ({ kind: 'result', result: value })
const rpcError = (code: number, message: string, data?: unknown): CallAnswer => ({ kind: 'rpc-error', code, message, data })
const read = (answer: CallAnswer, extra: Partial<ReadingOptions> = {}) => readAnswer(answer, { ...options, ...extra })

const ROWS = {
  rows: [
    { id: 1, total: 10 },
    { id: 2, total: 20 },
    { id: 3, total: 30 },
  ],
}
const ROWS_JSON = '{"rows":[{"id":1,"total":10},{"id":2,"total":20},{"id":3,"total":30}]}'

interface Row {
  sent: string
  answer: CallAnswer
  reads: string
  status?: 'ok' | 'error'
  options?: Partial<ReadingOptions>
}

const golden: Row[] = [
  {
    sent: 'a summary beside its rows',
    answer: result({ content: text('Found 3 invoices.'), structuredContent: ROWS }),
    reads: `Found 3 invoices.\n${ROWS_JSON}`,
  },
  { sent: 'text that is the structure', answer: result({ content: text(ROWS_JSON), structuredContent: ROWS }), reads: ROWS_JSON },
  {
    sent: 'text that is the structure in another order and spacing',
    answer: result({ content: text('{ "b": [1, 2.0],\n "a": "x" }'), structuredContent: { a: 'x', b: [1, 2] } }),
    reads: '{ "b": [1, 2.0],\n "a": "x" }',
  },
  {
    sent: 'text that holds the structure',
    answer: result({ content: text(`Here it is:\n${ROWS_JSON}\nThat is all.`), structuredContent: ROWS }),
    reads: `Here it is:\n${ROWS_JSON}\nThat is all.`,
  },
  {
    sent: 'nothing, as an error',
    answer: result({ isError: true, content: [] }),
    status: 'error',
    reads: 'Error: the tool failed and said nothing.',
  },
  { sent: 'an empty list, as an error', answer: result({ isError: true, content: text('[]') }), status: 'error', reads: 'Error: []' },
  {
    sent: 'an error with its details',
    answer: result({
      isError: true,
      content: text('Request failed.'),
      structuredContent: { code: 'bad_date', field: 'since', hint: 'use YYYY-MM-DD' },
    }),
    status: 'error',
    reads: 'Error: Request failed.\n{"code":"bad_date","field":"since","hint":"use YYYY-MM-DD"}',
  },
  { sent: 'nothing', answer: result({ content: [] }), reads: '(the tool gave no content)' },
  {
    sent: 'more than is shown',
    answer: result({ content: text(Array.from({ length: 300 }, (_, n) => `line ${n + 1}`).join('\n')) }),
    options: { resultBytes: 256 },
    reads: `[Result t1c1 has 2.5 KB (text of 300 lines). It is shown in part: the beginning and the end. Read the rest with nightshift__read_result, or search it, before you say anything that depends on it.]\n${Array.from({ length: 25 }, (_, n) => `line ${n + 1}`).join('\n')}\n[2.3 KB of 2.5 KB are left out here]\n${Array.from({ length: 7 }, (_, n) => `line ${n + 294}`).join('\n')}`,
  },
  {
    sent: 'an image, a link, a resource of text and one of bytes',
    answer: result({
      content: [
        { type: 'image', data: TEN_BYTES, mimeType: 'image/png' },
        {
          type: 'resource_link',
          uri: 'ledger://report/2026-11',
          name: 'november',
          title: 'November report',
          description: 'All bookings of the month.',
          mimeType: 'text/csv',
          size: 12_288,
        },
        { type: 'resource', resource: { uri: 'ledger://note/1', text: '# Note', mimeType: 'text/markdown' } },
        { type: 'resource', resource: { uri: 'ledger://pdf/1', blob: TEN_BYTES, mimeType: 'application/pdf' } },
      ],
    }),
    reads: [
      '[image, image/png, 10 bytes, not shown]',
      '[link November report: ledger://report/2026-11 (text/csv, 12 KB). All bookings of the month. Read it with nightshift__read.]',
      '# Note',
      '[resource ledger://pdf/1, application/pdf, 10 bytes, not shown]',
    ].join('\n'),
  },
  {
    sent: 'a block for a person alone',
    answer: result({ content: [{ type: 'text', text: 'Shown in the sidebar.', annotations: { audience: ['user'] } }, ...text('3 open')] }),
    reads: '3 open\n[1 block is left out: meant for a person, not for you]',
  },
  {
    sent: 'faulty arguments, as servers of the first era say it',
    answer: rpcError(-32602, 'Invalid arguments for tool query: since is required', { field: 'since' }),
    status: 'error',
    reads: 'Error: Invalid arguments for tool query: since is required (code -32602)\n{"field":"since"}',
  },
  {
    sent: 'faulty arguments, as servers of the second era say it',
    answer: result({ isError: true, content: text('Input validation error: since is required') }),
    status: 'error',
    reads: 'Error: Input validation error: since is required',
  },
  {
    sent: 'the data of a page beside the conversation (MCP Apps)',
    answer: result({ content: text('The chart is shown.'), structuredContent: ROWS }),
    options: { hasOwnPage: true },
    reads: 'The chart is shown.',
  },
  {
    sent: 'text that says something else than the structure',
    answer: result({ content: text('{"rows":[]}'), structuredContent: ROWS }),
    reads: `{"rows":[]}\n${ROWS_JSON}`,
  },
  {
    sent: '5 MB in one line',
    answer: result({ content: text('x'.repeat(5 * 1024 ** 2)) }),
    options: { canRead: false },
    reads: `[Result t1c1 has 5.0 MB (text of 3 lines). It is shown in part: the beginning and the end. More was sent than is kept. The rest cannot be read here: ask for less where it matters.]\n${'x'.repeat(750)}\n[5.0 MB of 5.0 MB are left out here]\n${'x'.repeat(250)}`,
  },
]

describe('the model reads', () => {
  test.each(golden)('$sent', async ({ answer, reads, status = 'ok', options: extra }) => {
    expect(await read(answer, extra)).toMatchObject({ status, text: reads, mistake: false, failure: null })
  })

  const shapes: [string, Record<string, unknown>, string][] = [
    ['text', { content: text('hello') }, 'hello'],
    ['texts', { content: text('a', 'b') }, 'a\nb'],
    ['a sound', { content: [{ type: 'audio', data: TEN_BYTES, mimeType: 'audio/wav' }] }, '[audio, audio/wav, 10 bytes, not shown]'],
    ['an image without its type', { content: [{ type: 'image', data: TEN_BYTES }] }, '[image, of unknown type, 10 bytes, not shown]'],
    ['an image without data', { content: [{ type: 'image', mimeType: 'image/png' }] }, '[image, image/png, 0 bytes, not shown]'],
    [
      'bytes that are a text',
      { content: [{ type: 'resource', resource: { uri: 'a:b', blob: TEN_BYTES, mimeType: 'text/csv' } }] },
      '0123456789',
    ],
    [
      'bytes that only say they are a text',
      { content: [{ type: 'resource', resource: { uri: 'a:b', blob: '/w==', mimeType: 'text/csv' } }] },
      '[resource a:b, text/csv, 1 bytes, not shown]',
    ],
    ['an unknown block', { content: [{ type: 'hologram' }] }, '[a block of a kind that is not known here]'],
    ['a block that is none', { content: [null] }, '[a block of a kind that is not known here]'],
    ['a text block without text', { content: [{ type: 'text' }] }, '[a block of a kind that is not known here]'],
    [
      'nulls for what is optional',
      { content: [{ type: 'text', text: 'ok', annotations: null, _meta: null }], isError: null, structuredContent: null },
      'ok',
    ],
    ['a text in the place of the list', { content: 'just text' }, 'just text'],
    ['a block in the place of the list', { content: { type: 'text', text: 'alone' } }, 'alone'],
    ['structured content alone', { structuredContent: { n: 1 } }, '{"n":1}'],
    ['structured content beside an empty text', { content: text(''), structuredContent: { n: 1 } }, '{"n":1}'],
    [
      'structured content beside an image',
      { content: [{ type: 'image', data: TEN_BYTES, mimeType: 'image/png' }], structuredContent: { n: 1 } },
      '[image, image/png, 10 bytes, not shown]\n{"n":1}',
    ],
    ['a text that a server wrapped', { content: text('done'), structuredContent: { result: 'done' } }, 'done'],
    [
      'a list that a server sent as a block for each',
      { content: text('{"a": 1}', 'two'), structuredContent: { result: [{ a: 1 }, 'two'] } },
      '{"a": 1}\ntwo',
    ],
    [
      'a wrapped value that the text does not hold',
      { content: text('2 rows'), structuredContent: { result: [1, 2] } },
      '2 rows\n{"result":[1,2]}',
    ],
    ['half an emoji', { content: text('a\ud83d') }, 'a\ufffd'],
    ['nothing at all', {}, '(the tool gave no content)'],
    ['null', { content: null }, '(the tool gave no content)'],
    ['spaces', { content: text('  \n') }, '(the tool gave no content)'],
    [
      'only what a person may see',
      { content: [{ type: 'text', text: 'x', annotations: { audience: ['user'] } }] },
      '[1 block is left out: meant for a person, not for you]',
    ],
  ]
  test.each(shapes)('%s', async (_, value, reads) => {
    expect(await read(result(value))).toMatchObject({ status: 'ok', text: reads })
  })

  test.each([
    ['text', 'Found 3 invoices.'],
    ['structured', ROWS_JSON],
    ['both', `Found 3 invoices.\n${ROWS_JSON}`],
  ] as const)('results: %s, as the job says', async (results, reads) => {
    expect((await read(result({ content: text('Found 3 invoices.'), structuredContent: ROWS }), { results })).text).toBe(reads)
  })

  test('a structure that is nested too deep to be written as none', async () => {
    const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)
    expect((await read(result({ content: text('deep'), structuredContent: deep }))).text).toBe('deep')
  })

  test('of a server without resources, that a link was not fetched', async () => {
    const answer = result({ content: [{ type: 'resource_link', uri: 'file:///a' }] })
    expect((await read(answer, { readable: false })).text).toBe('[link: file:///a. Not fetched.]')
  })
})

describe('an error', () => {
  test.each([true, 'true'])('is one when isError is %j', async (isError) => {
    expect(await read(result({ isError, content: text('no such row') }))).toMatchObject({ status: 'error', text: 'Error: no such row' })
  })

  test('that says already that it is one is not told twice', async () => {
    expect((await read(result({ isError: true, content: text('Error: no such row') }))).text).toBe('Error: no such row')
  })

  test('that wants a person names no address', async () => {
    const answer = rpcError(-32042, 'needs elicitation', { elicitations: [{ mode: 'url', url: 'https://x' }] })
    expect((await read(answer)).text).toBe(
      'Error: the tool needs a person to do something at an address first, and nobody is there. Do not repeat the call.',
    )
  })
})

test('names the resources that a result links to, and not those that it holds', async () => {
  const content = [
    { type: 'resource_link', uri: 'ledger://a' },
    { type: 'resource', resource: { uri: 'ledger://b', text: 'held' } },
    { type: 'resource_link', uri: `ledger://${'x'.repeat(3000)}` },
  ]
  expect((await read(result({ content }))).uris).toEqual(['ledger://a'])
})

test('keeps no address that holds a secret', async () => {
  const content = [
    { type: 'resource_link', uri: 'ledger://a?key=hunter2' },
    { type: 'resource_link', uri: 'ledger://b' },
  ]
  const shown = await read(result({ content }), { redact: (whole) => whole.replaceAll('hunter2', '[secret]') })
  expect(shown.uris).toEqual(['ledger://b'])
  expect(shown.text).not.toContain('hunter2')
})

test('no byte of an image reaches the model', async () => {
  expect((await read(result({ content: [{ type: 'image', data: TEN_BYTES, mimeType: 'image/png' }] }))).text).not.toContain(TEN_BYTES)
})

describe('an image', () => {
  const bytesOf = (hex: string, more = 50) => Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(more)])
  const PNG = bytesOf('89504e470d0a1a0a')
  const block = (bytes: Buffer, mimeType = 'image/png') => ({ type: 'image', data: bytes.toString('base64'), mimeType })

  test.each([
    ['PNG', '89504e470d0a1a0a', 'image/png'],
    ['JPEG', 'ffd8ffe0', 'image/jpeg'],
    ['GIF', '474946383961', 'image/gif'],
    ['WebP', '524946460000000057454250', 'image/webp'],
  ])('of %s is known by its bytes, whatever it is called, and given with the result', async (_, hex, mediaType) => {
    const bytes = bytesOf(hex)
    const given = await read(result({ content: [block(bytes, 'application/x-odd'), ...text('a chart')] }))
    expect(given.pictures).toEqual([{ content: bytes, mediaType }])
    expect(given.text).toBe(`[image, ${mediaType}, ${bytes.length} bytes, given with this result]\na chart`)
  })

  test('that stands in a resource is given too', async () => {
    const resource = { uri: 'a:chart', blob: PNG.toString('base64'), mimeType: 'image/png' }
    expect((await read(result({ content: [{ type: 'resource', resource }] }))).pictures).toHaveLength(1)
  })

  test.each<[string, Buffer]>([
    ['says that it is one and is none', Buffer.from('<svg onload="x()">')],
    ['is larger than is given', bytesOf('89504e470d0a1a0a', 3_670_016)],
    ['holds a secret', Buffer.concat([PNG, Buffer.from('hunter2')])],
  ])('that %s is told of in words', async (_, bytes) => {
    const given = await read(result({ content: [block(bytes)] }), { redact: (whole) => whole.replaceAll('hunter2', '[secret]') })
    expect(given.pictures).toBeUndefined()
    expect(given.text).toMatch(/^\[image, image\/png, .*, not shown\]$/)
  })

  test('behind the tenth of a result is told of in words', async () => {
    const given = await read(result({ content: Array.from({ length: 12 }, () => block(PNG)) }))
    expect(given.pictures).toHaveLength(10)
    expect(given.text.match(/not shown/g)).toHaveLength(2)
  })
})

test('secrets are taken out before a result is cut', async () => {
  const redact = (whole: string) => whole.replaceAll('hunter2', '[secret]')
  expect((await read(result({ content: text(`${'a'.repeat(745)}hunter2${'b'.repeat(500)}`) }), { redact })).text).not.toContain('hunte')
})

test('a resource is read in all its parts', async () => {
  const contents = 'month,total\n2026-11,15'
  const blocks = resourceBlocks({
    contents: [
      { uri: 'a:b', text: 'month,total' },
      { uri: 'a:c', text: '2026-11,15' },
    ],
  })
  expect(await readResource({ kind: 'blocks', blocks }, options)).toMatchObject({ status: 'ok', text: contents })
  expect(
    await readResource({ kind: 'rpc-error', code: -32002, message: 'Resource not found', data: { uri: 'a:b' } }, options),
  ).toMatchObject({
    status: 'error',
    text: 'Error: Resource not found (code -32002)\n{"uri":"a:b"}',
  })
})

test('an image in a resource that is read is given with it', async () => {
  const content = Buffer.from('89504e470d0a1a0a', 'hex')
  const blocks = resourceBlocks({ contents: [{ uri: 'a:b', blob: content.toString('base64'), mimeType: 'image/png' }] })
  expect(await readResource({ kind: 'blocks', blocks }, options)).toMatchObject({
    text: '[image, image/png, 8 bytes, given with this result]',
    pictures: [{ content, mediaType: 'image/png' }],
  })
})

test('as many parts of a resource are read as blocks of a result, and as many messages of a prompt as have an end', async () => {
  const blocks = resourceBlocks({ contents: Array.from({ length: 10_002 }, (_, at) => ({ uri: 'a:b', text: `part ${at}` })) })
  const answered = await readResource({ kind: 'blocks', blocks }, { ...options, resultBytes: 1_000_000 })
  expect(answered).toMatchObject({ truncated: true, text: expect.stringMatching(/part 9999\n\[2 more blocks are left out\]$/) })
  const messages = Array.from({ length: 1002 }, () => ({ role: 'assistant', content: { type: 'text', text: 'a' } }))
  expect(promptTexts({ messages })).toMatch(/^assistant: a\n\nassistant: a\n\n.*assistant: a\n\n\[2 more messages are left out\]$/s)
})

describe('what is not all there', () => {
  const many = (blocks: number) => text(...Array.from({ length: blocks }, (_, at) => `row ${at}`))

  test.each([
    ['is shown whole', 1_000_000],
    ['is kept', 1000],
  ])('more blocks than are read: the result that %s is not whole', async (_, resultBytes) => {
    const answered = await read(result({ content: many(10_002) }), { resultBytes })
    expect(answered.text).toMatch(/\[2 more blocks are left out\]$/)
    expect(answered.truncated).toBe(true)
    expect(answered.keep?.whole ?? false).toBe(false)
  })

  test('as many blocks as are read are all of it', async () => {
    expect(await read(result({ content: many(10_000) }), { resultBytes: 1_000_000 })).toMatchObject({ truncated: false })
  })

  test('blocks that are not read at all are not missing', async () => {
    const answer = result({ content: many(10_002), structuredContent: ROWS })
    expect(await read(answer, { results: 'structured' })).toMatchObject({ text: ROWS_JSON, truncated: false })
  })
})

describe('text beside structured content', () => {
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)])

  test('is compared with it, which is written once, however many texts there are', async () => {
    let written = 0
    const counted = { rows: ROWS.rows, toJSON: () => (written++, ROWS) }
    await read(result({ content: text(...Array.from({ length: 1000 }, () => 'x')), structuredContent: counted }))
    expect(written).toBeLessThan(10)
  })

  test('is compared where the levels of what is nested deep would fill more than a text holds', async () => {
    const structuredContent = Array.from({ length: 100 }, () => deep(3000))
    const { text: shown } = await read(result({ content: text('x'.repeat(400_000)), structuredContent }), { resultBytes: 10_000_000 })
    expect(shown).toBe(`${'x'.repeat(400_000)}\n${JSON.stringify(structuredContent)}`)
  })

  test.each([
    ['rows 1 2 3', 123],
    ['1234 rows', 123],
    ['0.123 s', 123],
    ['123.5 s', 123],
    ['12,123 rows', 123],
    ['-123', 123],
    ['nothing is falsehood', false],
  ])('%j does not hold the value %j', async (said, value) => {
    const { text: shown } = await read(result({ content: text(said), structuredContent: { result: value } }))
    expect(shown).toBe(`${said}\n{"result":${value}}`)
  })

  test.each([
    ['123', 123],
    ['There are 123.', 123],
    ['1234, or 123, rows', 123],
    ['It is false', false],
  ])('%j holds the value %j', async (said, value) => {
    const { text: shown } = await read(result({ content: text(said), structuredContent: { result: value } }))
    expect(shown).toBe(said)
  })

  test.each([2, 4, '\t'])('holds it, indented by %j', async (indent) => {
    const said = `Here it is:\n${JSON.stringify(ROWS, null, indent)}\nThat is all.`
    expect(await read(result({ content: text(said), structuredContent: ROWS }))).toMatchObject({ text: said })
  })
})

test('an image is not shown in whose bytes, or in whose base64, a secret stands', async () => {
  const redact = (plain: string) => plain.replaceAll(/SecretOfSixteen0|geheimes Schlüsselwort/g, '[secret]')
  const begin = Buffer.from('89504e470d0a1a0a00', 'hex')
  const image = (bytes: Buffer) => result({ content: [{ type: 'image', mimeType: 'image/png', data: bytes.toString('base64') }] })
  const plain = Buffer.concat([begin, Buffer.from('SecretOfSixteen0')])
  const packed = Buffer.concat([begin, Buffer.from('SecretOfSixteen0', 'base64')])
  const foreign = Buffer.concat([begin, Buffer.from('geheimes Schlüsselwort')])
  for (const bytes of [plain, packed, foreign]) {
    const answered = await read(image(bytes), { redact })
    expect(answered.pictures).toBeUndefined()
    expect(answered.text).toMatch(/not shown/)
  }
  expect((await read(image(begin), { redact })).pictures).toHaveLength(1)
})
