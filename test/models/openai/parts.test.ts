// Servers refuse parts of a request that others take: what a request can do without is left out.
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Exchange } from '../../../src/models/model.ts'
import { openProvider, type ProviderBehaviour } from '../../support/model/provider.ts'

const tool = { name: 'shop__look', description: 'looks', parameters: { type: 'object' } }
const output = { name: 'output', schema: { type: 'object' }, strict: true }
const bodySchema = z.looseObject({})
type Body = z.output<typeof bodySchema>

/** What the model said, with fields beside its words. */
const saidWith = (fields: object): Exchange => ({
  items: [
    {
      type: 'message',
      text: 'Wait.',
      from: 'responses odd',
      raw: { type: 'message', role: 'assistant', id: 'm_1', ...fields, content: [{ type: 'output_text' }] },
    },
  ],
  results: [],
  reply: 'Go on.',
})

interface Refusal {
  status?: number
  error: { message: string; param?: string; code?: string }
}

interface Row {
  what: string
  behaviour?: Partial<ProviderBehaviour>
  /** What the server says to this request; undefined where it takes it. */
  refuses: (body: Body) => Refusal | undefined
  /** What is told of, a word of each. */
  told: string[]
}

const says = (is: boolean, message: string, more: Partial<Refusal['error']> = {}, status = 400): Refusal | undefined =>
  is ? { status, error: { message, ...more } } : undefined
const has = (body: Body, text: string) => JSON.stringify(body).includes(text)

const rows: Row[] = [
  {
    what: 'a format beside tools',
    refuses: (b) => says('tools' in b && 'response_format' in b, 'Structured outputs cannot be combined with tool calling'),
    told: ['a format of the answer beside tools'],
  },
  {
    what: 'a format, named by its field',
    behaviour: { request: { output } },
    refuses: (b) => says('response_format' in b, 'This value is not one of ours', { param: 'response_format.type' }),
    told: ['a format of the answer'],
  },
  {
    what: 'strict, deep in a tool',
    refuses: (b) => says(has(b, '"strict"'), 'tools.0.custom.strict: Extra inputs are not permitted', {}, 422),
    told: ['strict'],
  },
  {
    what: 'tool_choice, with the status of what is not there',
    behaviour: { request: { tools: [tool], mayCall: false } },
    refuses: (b) => says('tool_choice' in b, "No endpoints found that support the provided 'tool choice' value", {}, 404),
    told: ['tool_choice: none'],
  },
  {
    what: 'how a stream is told of its usage',
    behaviour: { stream: true },
    refuses: (b) => says(has(b, 'include_usage'), 'Unrecognized request argument supplied: include_usage'),
    told: ['stream_options'],
  },
  {
    what: 'a field that is unknown to it, by its code',
    behaviour: { store: false },
    refuses: (b) => says('store' in b, "Unknown parameter: 'store'.", { param: 'store', code: 'unknown_parameter' }),
    told: ['store'],
  },
  ...['status', 'phase', 'odd'].map((name): Row => ({
    what: `${name} of an item, which came from there`,
    behaviour: { way: 'responses', request: { exchanges: [saidWith({ status: null, phase: 'commentary', odd: 1 })] } },
    refuses: (b) => says(has(b, `"${name}":`), `Unknown parameter: 'input[1].${name}'.`, { param: `input[1].${name}` }),
    told: [`${name} in what the model said`],
  })),
  {
    what: 'one thing after the other',
    behaviour: { store: false, request: { tools: [tool], output } },
    refuses: (b) =>
      says('store' in b, 'store: extra fields not permitted') ??
      says(has(b, '"strict"'), 'unexpected keyword strict') ??
      says('response_format' in b, 'json_schema is not available'),
    told: ['store', 'strict', 'a format of the answer'],
  },
]

const said = [{ type: 'message', role: 'assistant', content: 'done' }]
const answer = JSON.stringify({ choices: [{ message: { content: 'done' }, finish_reason: 'stop' }], output: said })
const chatEvents = `data: ${JSON.stringify({ choices: [{ delta: { content: 'done' }, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`

async function open({ behaviour, refuses }: Pick<Row, 'behaviour' | 'refuses'>) {
  const told: string[] = []
  const asked: Body[] = []
  const stream = behaviour?.stream ?? false
  const opened = await openProvider(
    { way: 'chat', request: { tools: [tool], output }, ...behaviour, stream, warn: (message) => told.push(message) },
    (res, given) => {
      const body = bodySchema.parse(given)
      asked.push(body)
      const refusal = refuses(body)
      res.writeHead(refusal ? (refusal.status ?? 400) : 200, {
        'content-type': !refusal && stream ? 'text/event-stream' : 'application/json',
      })
      res.end(refusal ? JSON.stringify({ error: refusal.error }) : stream ? chatEvents : answer)
    },
  )
  return { opened, told, asked }
}

test.each(rows)('$what is left out, told once, and left out at once from then on', async ({ told: names, ...row }) => {
  const { opened, told, asked } = await open(row)
  await using provider = opened
  for (let n = 0; n < 2; n++) expect(await provider.ask()).toMatchObject({ items: [{ type: 'message', text: 'done' }] })
  expect(told.map((line) => /does not take (.*):/.exec(line)?.[1])).toEqual(names)
  expect(asked).toHaveLength(names.length + 2)
  expect(asked.at(-1)).toEqual(asked.at(-2))
})

const kept: [what: string, row: Pick<Row, 'behaviour' | 'refuses'>, requests: number][] = [
  ['a part that is needed', { refuses: () => says(true, 'model: no such model, messages and tools are not supported') }, 1],
  ['a value of store, which a server knows', { behaviour: { store: false }, refuses: () => says(true, 'store must be true') }, 1],
  ['a part whose absence does not help', { refuses: () => says(true, 'response_format is not supported') }, 2],
  ['a server that is not there', { refuses: () => says(true, 'response_format', {}, 401) }, 1],
]

const oddName = 'a\nb_c'
const besides: [what: string, fields: object, refused: string, requests: number][] = [
  ['one of a few', { f_1: 1, f_2: 2 }, 'f_2', 2],
  ['in capitals', { extraContent: 1 }, 'extraContent', 2],
  ['one of more than are looked at', Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`f_${n}`, n])), 'f_99999', 1],
  ['one whose name is none', { [oddName]: 1 }, oddName, 1],
]

test.each(besides)('a field beside the words that is %s is looked for in a bounded time', async (_, fields, name, requests) => {
  const behaviour: Row['behaviour'] = { way: 'responses', request: { exchanges: [saidWith(fields)] } }
  const { opened, told, asked } = await open({
    behaviour,
    refuses: (b) => says(has(b, JSON.stringify(name)), `Unknown parameter: ${name}`),
  })
  await using provider = opened
  await provider.ask()
  expect([asked.length, told.length]).toEqual([requests, requests - 1])
})

test.each(kept)('%s is not left out: the refusal is told', async (_, row, requests) => {
  const { opened, told, asked } = await open(row)
  await using provider = opened
  expect(await provider.ask()).toMatchObject({ name: 'Failure' })
  expect([asked.length, told]).toEqual([requests, []])
})

test('an error in the midst of an answer refuses nothing, whatever it names', async () => {
  let posts = 0
  const labels = { run: 'r', job: 'j', attempt: '1', user: 'u' }
  await using opened = await openProvider({ way: 'chat', stream: true, labels: true, request: { labels } }, (res) => {
    posts++
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    const events = [
      { choices: [{ delta: { content: 'The work of an hour' } }] },
      { error: { message: 'could not keep safety_identifier' } },
    ]
    res.end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''))
  })
  expect(await opened.ask()).toMatchObject({ code: 'MODEL_UNAVAILABLE' })
  expect(posts).toBe(1)
})
