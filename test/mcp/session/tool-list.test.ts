import { describe, expect, test } from 'vitest'
import { connect } from '../../support/mcp/session.ts'
import { aTool, startScriptedServer, type Serve } from '../../support/mcp/scripted-server.ts'

const never = new AbortController().signal

async function listFrom(serve: Serve) {
  await using server = await startScriptedServer({ 'tools/list': serve })
  await using opened = await connect(server.url)
  const { tools, leftOut } = await opened.session.listTools(['*'], never)
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

  test('ends after 200 pages, whatever the server says', async () => {
    let page = 0
    const { names } = await listFrom((seen) => seen.result({ tools: [aTool(`tool_${page}`)], nextCursor: `page ${++page}` }))
    expect(names).toHaveLength(200)
  })

  test('over its pages has at most as many bytes as one answer', async () => {
    let page = 0
    const padded = aTool('act', { description: 'x'.repeat(300_000) })
    await expect(listFrom((seen) => seen.result({ tools: [padded], nextCursor: `page ${++page}` }))).rejects.toMatchObject({
      code: 'RESULT_TOO_LARGE',
      message: expect.stringContaining('gateway.maxResponseBytes'),
    })
    expect(page).toBe(4)
  })

  test('of more than 10,000 tools is not read to its end', async () => {
    const tools = Array.from({ length: 10_001 }, (_, n) => ({ name: `tool_${n}` }))
    await expect(listFrom((seen) => seen.result({ tools }))).rejects.toMatchObject({ code: 'UPSTREAM_ERROR' })
  })

  test('gives the wanted tools, and of the others only their names', async () => {
    await using server = await startScriptedServer({
      'tools/list': (seen) => seen.result({ tools: [aTool('get_a'), aTool('set_a'), aTool('get_b'), { name: 'set_b', inputSchema: 7 }] }),
    })
    await using opened = await connect(server.url)
    const { tools, names, leftOut } = await opened.session.listTools(['get_*'], never)
    expect([[...tools.keys()], names, leftOut]).toEqual([['get_a', 'get_b'], ['get_a', 'set_a', 'get_b', 'set_b'], []])
  })

  test.each(['', null])('ends at a cursor that is %j', async (nextCursor) => {
    expect(await listFrom((seen) => seen.result({ tools: [aTool('one')], nextCursor }))).toMatchObject({
      names: ['one'],
      cursors: [undefined],
    })
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
    expect(names).toEqual(['good', 'no_schema', 'bad_output', 'task_too', 'strange_execution', 'one_of'])
    expect(leftOut.map(({ name }) => name)).toEqual([
      '(without a name)',
      '(without a name)',
      '(without a name)',
      'bad_schema',
      'task_only',
      'list_input',
    ])
  })

  test('keeps the first of two tools of one name', async () => {
    await using server = await startScriptedServer({
      'tools/list': (seen) => seen.result({ tools: [aTool('act', { description: 'first' }), aTool('act', { description: 'second' })] }),
    })
    await using opened = await connect(server.url)
    expect((await opened.session.listTools(['*'], never)).tools.get('act')?.description).toBe('first')
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
