import { gzipSync } from 'node:zlib'
import { aTool, type Seen, type Serve } from '../support/mcp/scripted-server.ts'
import { EVENTS, JSON_TYPE, pour, repeated, type Attack } from './attack.ts'

// MCP servers that mean harm.

const listing =
  (tool: Record<string, unknown>): Serve =>
  (seen) =>
    seen.result({ tools: [aTool('act', tool)] })

const withSchema = (properties: Record<string, unknown>, extra: Record<string, unknown> = {}) => ({
  'tools/list': listing({ inputSchema: { type: 'object', properties, ...extra } }),
})

const body =
  (headers: Record<string, string>, piecesOf: (seen: Seen) => Iterable<string | Uint8Array>): Serve =>
  (seen) => {
    seen.res.writeHead(200, headers)
    return pour(seen.res, piecesOf(seen))
  }

const resultOf = (seen: Seen, result: string) => `{"jsonrpc":"2.0","id":${seen.id},"result":${result}}`
const answering = (resultText: () => string): Serve => body(JSON_TYPE, (seen) => [resultOf(seen, resultText())])

const doubled = Object.fromEntries(
  Array.from({ length: 40 }, (_, n) => [`d${n}`, { anyOf: [{ $ref: `#/$defs/d${n + 1}` }, { $ref: `#/$defs/d${n + 1}` }] }]),
)

const cpu: Attack[] = [
  {
    name: 'a schema whose references double 40 times',
    on: withSchema({ a: { $ref: '#/$defs/d0' } }, { $defs: { ...doubled, d40: { type: 'string' } } }),
    call: { a: 1 },
    expected: 'succeeded',
  },
  {
    name: 'a schema of 20,000 properties',
    on: withSchema(Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`p${n}`, { type: 'string', pattern: '^a' }]))),
    expected: 'failed TOOL_MISSING',
  },
  {
    name: 'a schema of 5,000 properties with a pattern each',
    on: withSchema(Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`p${n}`, { type: 'string', pattern: '^a' }]))),
    expected: 'succeeded',
  },
  {
    name: 'a schema that wants 8,000 items to be different',
    on: withSchema({ a: { type: 'array', uniqueItems: true } }),
    call: { a: Array.from({ length: 8000 }, (_, n) => ({ n, list: [n] })) },
    expected: 'succeeded',
  },
  {
    name: 'a pattern of many alternatives',
    on: withSchema({ a: { type: 'string', pattern: `^(${'(a|aa|aaa){1,50}'.repeat(40)})$` } }),
    call: { a: `${'a'.repeat(200_000)}b` },
    expected: 'succeeded',
  },
  {
    name: '7 MB of open brackets',
    on: { 'tools/call': body(JSON_TYPE, () => repeated('['.repeat(70_000), 100)) },
    expected: 'incomplete RESULT_TOO_LARGE',
  },
  {
    name: '400,000 empty blocks',
    on: { 'tools/call': answering(() => `{"content":[${'{},'.repeat(399_999)}{}]}`) },
    expected: 'incomplete RESULT_TOO_LARGE',
  },
  {
    name: '200,000 empty blocks',
    on: { 'tools/call': answering(() => `{"content":[${'{},'.repeat(199_999)}{}]}`) },
    expected: 'incomplete RESULT_TOO_LARGE',
  },
  {
    name: 'a result of 12 MB whose text is its structure, spaced otherwise',
    on: {
      'tools/call': answering(() => {
        const value = { rows: Array.from({ length: 60_000 }, (_, n) => ({ id: n, name: `row ${n}`, note: 'x'.repeat(40) })) }
        return JSON.stringify({ content: [{ type: 'text', text: JSON.stringify(value, null, 3) }], structuredContent: value })
      }),
    },
    expected: 'succeeded',
  },
]

const memory: Attack[] = [
  {
    name: '50 pages of 15 MB of tools',
    on: {
      'tools/list': (seen) =>
        seen.result({
          tools: [aTool('act'), aTool('pad', { description: 'x'.repeat(15_000_000) })],
          nextCursor: `${Number(seen.params?.cursor ?? 0) + 1}`,
        }),
    },
    expected: 'failed RESULT_TOO_LARGE',
    requests: 6,
  },
  {
    name: 'a tool whose description has 10 MB',
    on: { 'tools/list': listing({ description: 'x'.repeat(10_000_000) }) },
    expected: 'failed TOOL_MISSING',
  },
  {
    name: '4 GB of zeros in 4 MB of gzip',
    on: {
      'tools/call': body({ ...JSON_TYPE, 'content-encoding': 'gzip' }, () => repeated(gzipSync(Buffer.alloc(64_000_000)), 64)),
    },
    expected: 'incomplete RESULT_TOO_LARGE',
  },
  {
    name: 'a stream without an end',
    on: { 'tools/call': body(EVENTS, () => repeated(`: ${'x'.repeat(65_536)}\n`, 1e6)) },
    expected: 'incomplete RESULT_TOO_LARGE',
  },
  {
    name: 'one event without an end',
    on: { 'tools/call': body(EVENTS, () => repeated('data: x', 1e7)) },
    expected: 'incomplete RESULT_TOO_LARGE',
  },
]

const requests: Attack[] = [
  {
    name: '100,000 requests of its own during one call',
    on: {
      'tools/call': body(EVENTS, function* () {
        for (let n = 0; n < 100_000; n++) yield `data: {"jsonrpc":"2.0","id":"p${n}","method":"ping"}\n\n`
      }),
    },
    expected: 'failed OUTCOME_UNKNOWN',
    requests: 110,
  },
  {
    name: 'a stream that is cut and resumed for ever',
    on: (() => {
      let n = 0
      const cut: Serve = ({ res }) => void res.writeHead(200, EVENTS).end(`retry: 0\nid: e${++n}\ndata:\n\n`)
      return { 'tools/call': cut, GET: cut }
    })(),
    expected: 'failed OUTCOME_UNKNOWN',
    requests: 510,
    isLong: true,
  },
]

/** A string of JSON with half a character in it, as JavaScript writes it. */
const half = String.raw`"caf\ud83d and \udc00"`
const texts: Attack[] = [
  {
    name: 'half a character in a result, and in the names in it',
    on: { 'tools/call': answering(() => `{"content":[{"type":"text","text":${half}}],"structuredContent":{${half}:${half}}}`) },
    expected: 'succeeded',
  },
  {
    name: 'half a character in the definition of a tool',
    on: {
      'tools/list': answering(
        () => `{"tools":[{"name":"act","title":${half},"description":${half},"inputSchema":{"type":"object","properties":{${half}:{}}}}]}`,
      ),
    },
    expected: 'succeeded',
  },
  {
    name: 'half a character in an error',
    on: {
      'tools/call': body(JSON_TYPE, (seen) => [`{"jsonrpc":"2.0","id":${seen.id},"error":{"code":1,"message":${half},"data":${half}}}`]),
    },
    expected: 'succeeded',
  },
]

export const serverAttacks: readonly Attack[] = [...cpu, ...memory, ...requests, ...texts]
