// @ts-nocheck
import { describe, expect, test } from 'vitest'
import { connect } from '../support/mcp/session.ts'
import { aTool, startScriptedServer, type Serve } from '../support/mcp/scripted-server.ts'

const never = new AbortController().signal

async function listFrom(serve: Serve) {
  await using server = await startScriptedServer({ 'tools/list': serve })
  await using opened = await connect(server.url)
  const { tools, leftOut } = await opened.session.listTools(never)
  return {
    names: [...tools.keys()],
    leftOut,
    cursors: server.seen.flatMap(({ kind, params }) => (kind === 'tools/list' ? [params?.cursor] : [])),
  }
}

describe('a tool list', () => {
  test('is read over all its pages', async () => {
    const listed = await listFrom((seen) => {
      const page = Number(seen.params?.cursor ?? 0)
      seen.result({ tools: [aTool(`tool_${page}`)], ...(page < 3 && { nextCursor: String(page + 1) }) })
    })
    expect(listed).toEqual({ names: ['tool_0', 'tool_1', 'tool_2', 'tool_3'], leftOut: [], cursors: [undefined, '1', '2', '3'] })
  })

  test('ends when a cursor comes again', async () => {
    const listed = await listFrom((seen) =>
      seen.result({ tools: [aTool(`after_${seen.params?.cursor ?? 'start'}`)], nextCursor: seen.params?.cursor === 'a' ? 'b' : 'a' }),
    )
    expect(listed).toMatchObject({ names: ['after_start', 'after_a', 'after_b'], cursors: [undefined, 'a', 'b'] })
  })

  test('ends after 50 pages, whatever the server says', async () => {
    let page = 0
    const { names } = await listFrom((seen) => seen.result({ tools: [aTool(`tool_${page}`)], nextCursor: `page ${++page}` }))
    expect(names).toHaveLength(50)
  })

  test('goes on after an empty cursor, which is a cursor', async () => {
    const { names } = await listFrom((seen) =>
      seen.result(seen.params?.cursor === undefined ? { tools: [aTool('one')], nextCursor: '' } : { tools: [aTool('two')] }),
    )
    expect(names).toEqual(['one', 'two'])
  })

  test('loses only what is broken in it', async () => {
    const { names, leftOut } = await listFrom((seen) =>
      seen.result({
        tools: [
          aTool('good'),
          null,
          'nonsense',
          {},
          { name: 'no_schema' },
          aTool('bad_schema', { inputSchema: 'object' }),
          aTool('bad_output', { outputSchema: { type: 'banana' } }),
          aTool('task_only', { execution: { taskSupport: 'required' } }),
          aTool('task_too', { execution: { taskSupport: 'optional' } }),
          aTool('strange_execution', { execution: 'soon' }),
          aTool('one_of', { inputSchema: { type: 'object', oneOf: [{ required: ['a'] }] } }),
          aTool('list_input', { inputSchema: { type: 'array' } }),
        ],
      }),
    )
    expect(names).toEqual(['good', 'bad_output', 'task_too', 'strange_execution'])
    expect(leftOut.map(({ name }) => name)).toEqual([
      '(without a name)',
      '(without a name)',
      '(without a name)',
      'no_schema',
      'bad_schema',
      'task_only',
      'one_of',
      'list_input',
    ])
  })

  test('keeps the first of two tools of one name', async () => {
    await using server = await startScriptedServer({
      'tools/list': (seen) => seen.result({ tools: [aTool('act', { description: 'first' }), aTool('act', { description: 'second' })] }),
    })
    await using opened = await connect(server.url)
    expect((await opened.session.listTools(never)).tools.get('act')?.description).toBe('first')
  })

  const broken: [string, Serve, string][] = [
    [
      'a JSON-RPC error',
      (seen) => seen.json({ jsonrpc: '2.0', id: seen.id, error: { code: -32601, message: 'no tools here' } }),
      'UPSTREAM_ERROR',
    ],
    ['no list', (seen) => seen.result({ tools: 'none' }), 'UPSTREAM_ERROR'],
    ['HTML', ({ res }) => void res.writeHead(200, { 'content-type': 'text/html' }).end('<html>'), 'UPSTREAM_ERROR'],
    ['HTTP 400', ({ res }) => void res.writeHead(400).end(), 'UPSTREAM_ERROR'],
    ['HTTP 404', ({ res }) => void res.writeHead(404).end(), 'UPSTREAM_ERROR'],
    ['HTTP 500', ({ res }) => void res.writeHead(500).end(), 'UPSTREAM_UNAVAILABLE'],
    ['HTTP 429', ({ res }) => void res.writeHead(429).end(), 'UPSTREAM_UNAVAILABLE'],
    ['a torn connection', ({ res }) => void res.destroy(), 'GATEWAY_UNREACHABLE'],
  ]
  test.each(broken)('that is answered with %s is a failure with a name', async (_, serve, code) => {
    await expect(listFrom(serve)).rejects.toMatchObject({ name: 'Failure', code })
  })
})

describe('an initialize', () => {
  const broken: [string, Serve, string][] = [
    [
      'a JSON-RPC error',
      (seen) => seen.json({ jsonrpc: '2.0', id: seen.id, error: { code: -32602, message: 'no such version' } }),
      'UPSTREAM_ERROR',
    ],
    [
      'an unknown version',
      (seen) => seen.result({ protocolVersion: '1999-01-01', capabilities: {}, serverInfo: { name: 'old', version: '1' } }),
      'UPSTREAM_ERROR',
    ],
    ['nonsense', (seen) => seen.result({ hello: 'world' }), 'UPSTREAM_ERROR'],
    ['HTTP 405', ({ res }) => void res.writeHead(405).end(), 'UPSTREAM_ERROR'],
    ['a redirect', ({ res }) => void res.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(), 'GATEWAY_UNREACHABLE'],
    ['HTTP 503', ({ res }) => void res.writeHead(503).end(), 'UPSTREAM_UNAVAILABLE'],
  ]
  test.each(broken)('that is answered with %s is a failure with a name', async (_, serve, code) => {
    await using server = await startScriptedServer({ initialize: serve })
    await expect(connect(server.url)).rejects.toMatchObject({ name: 'Failure', code })
  })
})
