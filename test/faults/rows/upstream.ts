import type { ServerResponse } from 'node:http'
import type { ProxyFault, Seen } from '../../support/gateway/fault-proxy.ts'
import type { FaultBench } from '../../support/app/fault-bench.ts'
import { JSON_TYPE, on, onAct, onLook, onMethod, once, rpcAnswer, SSE_TYPE, status } from '../moments.ts'
import { ACT, MIDDLE, playToRetry, rowsOf, type FaultRow, type RowOptions } from '../row.ts'

const row = rowsOf('upstream')
const heals = { heals: true }
const hosted: RowOptions = { delegate: 'hosted' }

/** What the server itself does when it has taken a call. */
const answers = (tool: string, write: (res: ServerResponse, id: Seen['id']) => void) => (bench: FaultBench) => {
  bench.server.answer = (call, _, res) => {
    if (call.name !== tool) return 'done'
    write(res, call.id)
    return undefined
  }
}

const half = (res: ServerResponse) => {
  res.writeHead(200, SSE_TYPE)
  res.write('event: message\ndata: {"jsonrpc":"2.0","res', () => res.socket?.resetAndDestroy())
}
const emptyStream = (res: ServerResponse) => void res.writeHead(200, SSE_TYPE).end(': nothing\n\n')
const silence = () => {}
const wrongId = (res: ServerResponse) =>
  void res
    .writeHead(200, JSON_TYPE)
    .end(JSON.stringify({ jsonrpc: '2.0', id: 'another', result: { content: [{ type: 'text', text: 'done' }] } }))
const strangeContent = (res: ServerResponse, id: Seen['id']) =>
  void res.writeHead(200, JSON_TYPE).end(
    JSON.stringify({
      jsonrpc: '2.0',
      id,
      result: {
        content: [
          { type: 'hologram', depth: 3 },
          { type: 'text', text: 'done' },
        ],
      },
    }),
  )
const malformed = (res: ServerResponse) => void res.writeHead(200, JSON_TYPE).end('{"jsonrpc":"2.0","id":')
const toolSaysNo = (res: ServerResponse, id: Seen['id']) =>
  void res
    .writeHead(200, JSON_TYPE)
    .end(JSON.stringify({ jsonrpc: '2.0', id, result: { isError: true, content: [{ type: 'text', text: 'no' }] } }))
const rpcError = (res: ServerResponse, id: Seen['id']) =>
  void res.writeHead(200, JSON_TYPE).end(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32602, message: 'Unknown tool' } }))

const tool = (name: string, inputSchema: unknown = { type: 'object', properties: {} }) => ({ name, description: name, inputSchema })

/** The server lists other tools than it does. */
const lists = (list: (seen: Seen) => object) => (bench: FaultBench) =>
  onMethod(bench.toServer, 'tools/list', (seen) => rpcAnswer({ id: seen.id, result: list(seen) }))

/** The server gives sessions, and forgets the first so many of them when a tool is called. */
const forgets =
  (times: number, name = 'look') =>
  (bench: FaultBench) => {
    let forgotten = 0
    bench.toServer.intercept = (seen): ProxyFault | undefined => {
      if (seen.rpcMethod === 'initialize')
        return {
          kind: 'answer',
          status: 200,
          headers: { ...JSON_TYPE, 'mcp-session-id': `session-${seen.before}` },
          body: JSON.stringify({
            jsonrpc: '2.0',
            id: seen.id,
            result: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'counting', version: '1' } },
          }),
        }
      return seen.tool === name && forgotten++ < times ? status(404, {}, 'Session not found') : undefined
    }
  }

/** Statuses that say a request was not taken. */
const REFUSED = [400, 403, 404, 405] as const

export const upstreamRows: FaultRow[] = [
  row('down', ['failed', 'UPSTREAM_UNAVAILABLE', 2, 0], ({ toServer }) => toServer.close()),
  row(
    'down, and up again',
    ['succeeded', 'UPSTREAM_UNAVAILABLE', 2, 1],
    async (bench) => {
      await bench.toServer.close()
      bench.onRetry = () => void bench.toServer.open()
    },
    { ...heals, retry: '{ attempts: 2, backoff: 300ms }' },
  ),
  row(
    'goes down in mid-run, and comes up again',
    ['succeeded', 'UPSTREAM_UNAVAILABLE', 2, 1],
    (bench) => {
      on(
        bench.toModel,
        ({ before }) => before === 0,
        () => ({ kind: 'hold', until: bench.toServer.close() }),
      )
      bench.onRetry = () => void bench.toServer.open()
    },
    { ...heals, retry: '{ attempts: 2, backoff: 300ms }' },
  ),
  ...REFUSED.map((code) =>
    row(`HTTP ${code} at initialize`, ['failed', 'UPSTREAM_ERROR', 1, 0], ({ toServer }) =>
      onMethod(toServer, 'initialize', () => status(code)),
    ),
  ),
  row('HTTP 401 at a call, no consent on the route', ['failed', 'OUTCOME_UNKNOWN', 1, 0], ({ toServer }) =>
    onAct(toServer, () => status(401)),
  ),
  row(
    'HTTP 429 at a repeatable call, with a long retry-after: the run waits for it',
    ['queued', 'UPSTREAM_UNAVAILABLE', 1, 1],
    ({ toServer }) => onLook(toServer, () => status(429, { 'retry-after': '3600' })),
    {
      play: playToRetry,
    },
  ),
  row('HTTP 500 at a call', ['failed', 'OUTCOME_UNKNOWN', 1, 0], ({ toServer }) => onAct(toServer, () => status(500, {}, 'oops'))),
  row(
    'HTTP 500 at a repeatable call',
    ['succeeded', 'UPSTREAM_UNAVAILABLE', 2, 1],
    ({ toServer }) => onLook(toServer, once(status(500))),
    heals,
  ),
  row('HTTP 503 at a call, with retry-after', ['failed', 'OUTCOME_UNKNOWN', 1, 0], ({ toServer }) =>
    onAct(toServer, () => status(503, { 'retry-after': '1' })),
  ),
  row(
    'HTTP 503 at initialize, with a long retry-after',
    ['queued', 'UPSTREAM_UNAVAILABLE', 1, 0],
    ({ toServer }) => onMethod(toServer, 'initialize', () => status(503, { 'retry-after': '3600' })),
    {
      play: playToRetry,
    },
  ),
  row(
    'HTTP 500 at the list of tools',
    ['succeeded', 'UPSTREAM_UNAVAILABLE', 2, 1],
    ({ toServer }) => onMethod(toServer, 'tools/list', once(status(500))),
    heals,
  ),
  row('half a stream', ['failed', 'OUTCOME_UNKNOWN', 1, 1], answers('act', half)),
  row('half a stream of a repeatable call, always', ['failed', 'UPSTREAM_UNAVAILABLE', 2, 1], answers('look', half)),
  row('a stream without an answer', ['failed', 'OUTCOME_UNKNOWN', 1, 1], answers('act', emptyStream)),
  row('silence until the deadline', ['failed', 'DEADLINE', 1, 1], answers('act', silence), { more: 'limits: { deadline: 8s }' }),
  row('silence over limits.call', ['failed', 'OUTCOME_UNKNOWN', 1, 1], answers('act', silence), { more: 'limits: { call: 3s }' }),
  row('silence over limits.call of a repeatable call: told to the model', ['succeeded', null, 1, 1], answers('look', silence), {
    more: 'limits: { call: 3s }',
  }),
  row('an answer to another request', ['failed', 'OUTCOME_UNKNOWN', 1, 1], answers('act', wrongId)),
  row('an answer that is not whole JSON', ['failed', 'OUTCOME_UNKNOWN', 1, 1], answers('act', malformed)),
  row('content of a kind nobody knows', ['succeeded', null, 1, 1], answers('act', strangeContent)),
  row('a tool that says no: told to the model', ['succeeded', null, 1, 1], answers('act', toolSaysNo)),
  row('a tool that is gone in mid-run: told to the model', ['succeeded', null, 1, 1], answers('look', rpcError)),
  row('an answer of 50 MB', ['incomplete', 'RESULT_TOO_LARGE', 1, 1], (bench) => {
    bench.server.answer = (call) => (call.name === 'look' ? 'x'.repeat(50 * 1024 * 1024) : 'done')
  }),
  row(
    'an answer over limits.resultBytes: kept, and the model can read on',
    ['succeeded', null, 1, 1],
    (bench) => {
      bench.server.answer = () => 'x'.repeat(5000)
    },
    { more: 'limits: { resultBytes: 1024 }' },
  ),
  row(
    'an answer over limits.keptBytes',
    ['incomplete', 'RESULT_TOO_LARGE', 1, 1],
    (bench) => {
      bench.server.answer = () => 'x'.repeat(5000)
    },
    { more: 'limits: { resultBytes: 1024, keptBytes: 2048 }' },
  ),
  row('a lost session: opened anew in the same attempt', ['succeeded', null, 1, 1], forgets(1)),
  row('a session lost at a call that must not be repeated', ['failed', 'OUTCOME_UNKNOWN', 1, 0], forgets(1, 'act')),
  row('a session lost at a call that must not be repeated, told to the model', ['incomplete', 'OUTCOME_UNKNOWN', 1, 0], forgets(1, 'act'), {
    more: 'onUnknown: tell-model',
  }),
  row('two lost sessions in a row', ['succeeded', 'UPSTREAM_UNAVAILABLE', 2, 1], forgets(2), heals),
  row('sessions that are always lost', ['failed', 'UPSTREAM_UNAVAILABLE', 2, 1], forgets(Number.POSITIVE_INFINITY)),
  row(
    'a broken schema of a tool the job does not use',
    ['succeeded', null, 1, 1],
    lists(() => ({ tools: [tool('act'), tool('look'), tool('other', 7)] })),
  ),
  row(
    'a broken schema of a tool the job needs',
    ['failed', 'TOOL_MISSING', 1, 0],
    lists(() => ({ tools: [tool('act'), tool('look', { type: 'array' })] })),
  ),
  row(
    'a tool that is gone',
    ['failed', 'TOOL_MISSING', 1, 0],
    lists(() => ({ tools: [tool('act')] })),
  ),
  row(
    'a tool that is gone at the next attempt',
    ['failed', 'TOOL_MISSING', 2, 1],
    (bench) => {
      bench.onRetry = () => lists(() => ({ tools: [tool('look')] }))(bench)
    },
    { script: `call counting__act {"n": 1}\nfail 500\nfail 500\nfail 500\nsay $1` },
  ),
  row(
    'the same name twice in the list',
    ['succeeded', null, 1, 1],
    lists(() => ({ tools: [tool('act'), tool('look'), tool('act')] })),
  ),
  row(
    'a list whose pages go round',
    ['succeeded', null, 1, 1],
    lists(() => ({ tools: [tool('act'), tool('look')], nextCursor: 'again' })),
  ),
  row(
    'a list whose pages never end',
    ['succeeded', null, 1, 1],
    lists(({ before }) => ({ tools: [tool('act'), tool('look')], nextCursor: `page ${before}` })),
  ),
  row(
    'a list that is no list',
    ['failed', 'UPSTREAM_ERROR', 1, 0],
    lists(() => ({ tools: 'none' })),
  ),
  row('a body over the route’s limit: never sent, told to the model', ['succeeded', null, 1, 0], () => {}, {
    script: `call counting__act {"n": 1, "text": "${'x'.repeat(600)}"}\nsay too large`,
    bench: { config: { servers: { counting: { maxRequestBytes: 512 } } } },
  }),
  row(
    'down when the provider lists',
    ['succeeded', 'UPSTREAM_UNAVAILABLE', 2, 1],
    ({ toServer }) =>
      on(
        toServer,
        ({ rpcMethod, before }) => rpcMethod === 'initialize' && before === 1,
        () => status(503),
      ),
    { ...hosted, ...heals },
  ),
  row('HTTP 500 at a call', ['incomplete', 'OUTCOME_UNKNOWN', 1, 0], ({ toServer }) => onAct(toServer, () => status(500)), hosted),
  row('a tool that says no: told to the model', ['succeeded', null, 1, 1], answers('act', toolSaysNo), {
    ...hosted,
    script: `errors-as-text\n${MIDDLE}`,
  }),
  row(
    'a tool that is gone',
    ['failed', 'TOOL_MISSING', 1, 0],
    lists(() => ({ tools: [tool('act')] })),
    hosted,
  ),
  row('silence until the deadline is near', ['incomplete', 'DEADLINE', 1, 1], answers('act', silence), {
    ...hosted,
    script: `${ACT}\ncall counting__look {}\nsay enough`,
    more: 'limits: { deadline: 15s }',
  }),
]
