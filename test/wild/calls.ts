import { initializeResult, textResult, type Seen, type Serve } from '../support/mcp/scripted-server.ts'
import type { WildCase } from './case.ts'

// What servers do during a call beside answering it.

/** The server asks something of its client, and tells what it was answered. */
const asking =
  (method: string, params: object): Serve =>
  (seen) => {
    seen.events()({ jsonrpc: '2.0', id: 'asked', method, params })
    pending.set('asked', seen)
  }

/** Calls that wait for an answer of the client. */
const pending = new Map<string, Seen>()

const answered: Serve = ({ id, res, ...answer }) => {
  res.writeHead(202).end()
  const call = pending.get(String(id))
  const said = 'error' in answer ? JSON.stringify(answer['error']) : 'an answer'
  call?.res.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: call.id, result: textResult(said) })}\n\n`)
}

const asks = (method: string, params: object, expected: string): WildCase => ({
  name: `a server that asks for ${method}`,
  on: { 'tools/call': asking(method, params), answer: answered },
  expected,
})
const REFUSED = 'ok: {"code":-32601,"message":"Method not found"}'

/** A server that forgets its first session at the first call. */
function forgetful(lose: Serve): Record<string, Serve> {
  let sessions = 0
  return {
    initialize: (seen) => {
      seen.res.setHeader('mcp-session-id', `s${++sessions}`)
      seen.result(initializeResult)
    },
    'tools/call': (seen) => (seen.headers['mcp-session-id'] === 's1' ? lose(seen) : seen.result(textResult('done'))),
  }
}

const says =
  (status: number, message: string, code = -32000): Serve =>
  (seen) =>
    seen.json({ jsonrpc: '2.0', id: null, error: { code, message } }, status)

const forgets = (what: string, lose: Serve): WildCase[] => [
  {
    name: `a session that is gone, said with ${what}, of a call that may run twice`,
    on: forgetful(lose),
    repeatable: true,
    expected: 'ok: done',
  },
  { name: `a session that is gone, said with ${what}, of any other call`, on: forgetful(lose), expected: 'OUTCOME_UNKNOWN' },
]

export const callCases: readonly WildCase[] = [
  asks('ping', {}, 'ok: an answer'),
  asks('sampling/createMessage', { messages: [], maxTokens: 1 }, REFUSED),
  asks('elicitation/create', { message: 'Sure?', requestedSchema: { type: 'object', properties: {} } }, REFUSED),
  asks('roots/list', {}, REFUSED),
  ...forgets('404', says(404, 'Session not found', -32001)),
  ...forgets('400, no valid session', says(400, 'Bad Request: No valid session ID or not an initialize request')),
  ...forgets('400, session not found', says(400, 'Session not found', -32001)),
  ...forgets('400, not initialized', says(400, 'Bad Request: Server not initialized')),
  ...forgets('410', ({ res }) => void res.writeHead(410).end()),
  {
    name: 'a session that is gone, said in a result',
    on: forgetful((seen) => seen.json({ jsonrpc: '2.0', id: seen.id, error: { code: -32001, message: 'Session not found' } })),
    expected: 'error: Error: Session not found (code -32001)',
  },
  {
    name: 'a person who is to open an address',
    on: {
      'tools/call': (seen) => seen.json({ jsonrpc: '2.0', id: seen.id, error: { code: -32042, message: 'x', data: { elicitations: [] } } }),
    },
    expected: 'error: Error: the tool needs a person',
  },
  {
    name: 'a stream that is closed and polled',
    on: (() => {
      let call: Seen | undefined
      return {
        'tools/call': (seen) => {
          call = seen
          seen.res.writeHead(200, { 'content-type': 'text/event-stream' }).end('id: e1\nretry: 50\ndata: \n\n')
        },
        GET: (seen) => {
          seen.events()({ jsonrpc: '2.0', id: call?.id, result: textResult('done') }, 'e2')
          seen.res.end()
        },
      } satisfies Record<string, Serve>
    })(),
    expected: 'ok: done',
  },
  { name: 'arguments that are null', on: {}, arguments: 'null', expected: 'ok: done' },
  {
    name: 'too many requests, of a call that may run twice',
    on: { 'tools/call': ({ res }) => void res.writeHead(429).end() },
    repeatable: true,
    expected: 'UPSTREAM_UNAVAILABLE',
  },
  {
    name: 'too many requests until a date, of a call that may run twice',
    on: { 'tools/call': ({ res }) => void res.writeHead(429, { 'retry-after': new Date(Date.now() + 3000).toUTCString() }).end() },
    repeatable: true,
    expected: 'UPSTREAM_UNAVAILABLE',
  },
  {
    name: 'too many requests, of any other call',
    on: { 'tools/call': ({ res }) => void res.writeHead(429).end() },
    expected: 'OUTCOME_UNKNOWN',
  },
]
