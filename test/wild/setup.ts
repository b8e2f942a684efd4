import { aTool, initializeResult, textResult, type Seen, type Serve } from '../support/mcp/scripted-server.ts'
import type { WildCase } from './case.ts'

// What goes on until the first call: sessions, lists and the definitions of tools.

const OK = 'ok: done'
const listing =
  (...tools: unknown[]): Serve =>
  (seen) =>
    seen.result({ tools })

const echo = (extra: Record<string, unknown> = {}) => ({ name: 'echo', inputSchema: { type: 'object' }, ...extra })
const hello =
  (extra: Record<string, unknown>): Serve =>
  (seen) =>
    seen.result({ ...initializeResult, ...extra })

const page = (seen: Seen, last: number) => {
  const at = Number(seen.params?.cursor ?? 0)
  seen.result({ tools: [at === last ? echo() : aTool(`t${at}`)], ...(at < last && { nextCursor: String(at + 1) }) })
}

const list = (name: string, serve: Serve, expected = OK, more: Partial<WildCase> = {}): WildCase => ({
  name,
  on: { 'tools/list': serve },
  expected,
  ...more,
})
const init = (name: string, serve: Serve, expected = OK): WildCase => ({ name, on: { initialize: serve }, expected })

export const setupCases: readonly WildCase[] = [
  list('a cursor that is null', (seen) => seen.result({ tools: [echo()], nextCursor: null })),
  list('a cursor that is empty', (seen) => seen.result({ tools: [echo()], nextCursor: '' })),
  list('a cursor that comes again', (seen) => seen.result({ tools: [echo()], nextCursor: 'x' })),
  list('60 pages', (seen) => page(seen, 59)),
  list('a tool without an input schema', listing({ name: 'echo' })),
  list('an input schema that is null', listing(echo({ inputSchema: null }))),
  list('an input schema without anything', listing(echo({ inputSchema: {} }))),
  list('an input that is an object or null', listing(echo({ inputSchema: { type: ['object', 'null'] } }))),
  list(
    'a choice at the root',
    listing(
      echo({ inputSchema: { type: 'object', anyOf: [{ properties: { a: { type: 'string' } }, required: ['a'] }, { required: ['b'] }] } }),
    ),
    OK,
    { arguments: '{"a":"1"}' },
  ),
  ...['oneOf', 'allOf'].map((of) =>
    list(
      `${of} at the root`,
      listing(echo({ inputSchema: { type: 'object', [of]: [{ properties: { a: { type: 'string' } }, required: ['a'] }] } })),
      OK,
      { arguments: '{"a":"1"}' },
    ),
  ),
  list(
    'draft 4, with a pattern of another language',
    listing(
      echo({
        inputSchema: {
          $schema: 'http://json-schema.org/draft-04/schema#',
          type: 'object',
          properties: { q: { type: 'string', pattern: '(?P<x>a)|.*', format: 'uri-reference' }, n: { minimum: 0, exclusiveMinimum: true } },
        },
      }),
    ),
    OK,
    { arguments: '{"q":"1"}' },
  ),
  list(
    'exclusiveMinimum as of draft 4, without a dialect',
    listing(echo({ inputSchema: { properties: { n: { minimum: 0, exclusiveMinimum: true } } } })),
  ),
  list(
    'a tool with null in each field that may be left out',
    listing(echo({ title: null, description: null, outputSchema: null, annotations: null, execution: null, _meta: null })),
  ),
  list('a tool that works only as a task', listing(echo({ execution: { taskSupport: 'required' } })), 'TOOL_MISSING'),
  list('a name of 80 letters', listing({ name: 'a'.repeat(80) }), OK, { tool: 'a'.repeat(80) }),
  list('a name with a dot, a slash and an umlaut', listing({ name: 'file.read/größe' }), OK, { tool: 'file.read/größe' }),
  init('no capabilities', hello({ capabilities: {} })),
  init('a server without a version', hello({ serverInfo: { name: 'r' } })),
  init('a revision of the future', hello({ protocolVersion: '2026-07-28' })),
  init('the revision 2025-11-25', hello({ protocolVersion: '2025-11-25' })),
  init('the revision 2024-11-05', hello({ protocolVersion: '2024-11-05' })),
  init('a revision of before the first', hello({ protocolVersion: '1999-01-01' }), 'UPSTREAM_ERROR'),
  init('an initialize with an error that is null', (seen) =>
    seen.json({ jsonrpc: '2.0', id: seen.id, result: initializeResult, error: null }),
  ),
  {
    name: 'a server that insists on its revision in the header',
    on: {
      initialize: hello({ protocolVersion: '2025-06-18' }),
      'tools/list': (seen) =>
        seen.headers['mcp-protocol-version'] === '2025-06-18' ? seen.result({ tools: [echo()] }) : seen.json('bad version', 400),
    },
    expected: OK,
  },
  { name: 'a notification that is answered with an object', on: { 'notifications/initialized': (seen) => seen.json({}) }, expected: OK },
  {
    name: 'a notification that is answered with 204',
    on: { 'notifications/initialized': ({ res }) => void res.writeHead(204).end() },
    expected: OK,
  },
  { name: 'a notification that is refused', on: { 'notifications/initialized': ({ res }) => void res.writeHead(400).end() }, expected: OK },
  { name: 'no session at all', on: {}, expected: OK },
  {
    name: 'a session that a cookie leads to',
    on: {
      initialize: (seen) => {
        seen.res.setHeader('set-cookie', 'route=one; Path=/; HttpOnly')
        seen.result(initializeResult)
      },
      'tools/call': (seen) => (seen.headers.cookie === 'route=one' ? seen.result(textResult('done')) : seen.json('another instance', 404)),
    },
    expected: OK,
  },
  {
    name: 'a session that nobody may end',
    on: {
      initialize: (seen) => {
        seen.res.setHeader('mcp-session-id', 's1')
        seen.result(initializeResult)
      },
      DELETE: ({ res }) => void res.writeHead(405).end(),
    },
    expected: OK,
  },
]
