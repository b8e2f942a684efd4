import { describe, expect, test } from 'vitest'
import { aTool, initializeResult, startScriptedServer, textResult } from '../support/mcp/scripted-server.ts'
import { aServer, openBox, type OpenedBox } from '../support/mcp/tool-box.ts'

describe('names under allow', () => {
  const tools = ['get_rows', 'list_tables', 'get_row', 'drop_table'].map((name) => aTool(name))

  test('may be patterns; what they let through is offered by name', async () => {
    await using server = await startScriptedServer({ 'tools/list': (seen) => seen.result({ tools }) })
    await using opened = await openBox([aServer(server.url, { allow: ['list_tables', 'get_*', 'get_row'], repeatable: ['get_*'] })])
    expect(opened.box.tools.map(({ name }) => name)).toEqual(['shop__list_tables', 'shop__get_row', 'shop__get_rows'])
    expect(opened.box.offered.map(({ tool, repeatable }) => [tool.name, repeatable])).toEqual([
      ['list_tables', false],
      ['get_row', true],
      ['get_rows', true],
    ])
    expect(['shop__get_row', 'shop__list_tables', 'shop__nothing'].map((name) => opened.box.isRepeatable(name))).toEqual([
      true,
      false,
      false,
    ])
  })

  test('that let nothing through are missing tools', async () => {
    await using server = await startScriptedServer({ 'tools/list': (seen) => seen.result({ tools }) })
    await expect(openBox([aServer(server.url, { allow: ['put_*'] })])).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      message: expect.stringContaining('The tool put_* of shop is not offered; it offers get_rows, list_tables, get_row, drop_table.'),
    })
    await using opened = await openBox([aServer(server.url, { allow: ['put_*', 'get_*'], required: false })])
    expect(opened.box.notes).toEqual([expect.stringContaining('put_*')])
  })
})

test('a server that is away changes the name of no tool of the others', async () => {
  await using good = await startScriptedServer({ 'tools/list': (seen) => seen.result({ tools: [aTool('b__act')] }) })
  await using bad = await startScriptedServer({ initialize: ({ res }) => void res.writeHead(503).end() })
  const specs = [aServer(good.url, { name: 'a', allow: ['b__act'] }), aServer(bad.url, { name: 'a__b', required: false, allow: ['act'] })]
  await using alone = await openBox(specs)
  await using both = await openBox([specs[0] ?? aServer(''), aServer(good.url, { name: 'a__b', allow: ['act'], required: false })])
  expect(alone.box.tools[0]?.name).toMatch(/^a__b__act_[0-9a-f]{8}$/)
  expect(both.box.tools.map(({ name }) => name)).toEqual(alone.box.tools.map(({ name }) => name))
})

test('a tool with a choice at its root is offered under input and called without it', async () => {
  const inputSchema = { oneOf: [{ properties: { id: { type: 'integer' } }, required: ['id'] }] }
  await using server = await startScriptedServer({ 'tools/list': (seen) => seen.result({ tools: [aTool('act', { inputSchema })] }) })
  await using opened = await openBox([aServer(server.url, { allow: ['act'] })])
  expect(opened.box.tools[0]?.parameters).toMatchObject({ type: 'object', properties: { input: inputSchema }, required: ['input'] })
  expect(await opened.call('shop__act', '{"input": {"id": 7}}')).toMatchObject({ status: 'ok' })
  expect((await server.arrived('tools/call')).params?.arguments).toEqual({ id: 7 })
})

test('tools of one name and the same words say whose they are; others are told as they were sent', async () => {
  const start = (title: string, description: string) =>
    startScriptedServer({
      initialize: (seen) => seen.result({ ...initializeResult, serverInfo: { ...initializeResult.serverInfo, title } }),
      'tools/list': (seen) => seen.result({ tools: [aTool('search', { description: 'Searches.' }), aTool('list', { description })] }),
    })
  await using ledger = await start('Finance ledger', 'Lists accounts.')
  await using archive = await start('', 'Lists years.')
  await using opened = await openBox([
    aServer(ledger.url, { name: 'ledger', allow: ['search', 'list'], description: 'The route' }),
    aServer(archive.url, { name: 'archive', allow: ['search', 'list'] }),
  ])
  expect(opened.box.tools.map(({ name, description }) => [name, description])).toEqual([
    ['ledger__search', 'Searches.\nOf the server ledger (Finance ledger; The route).'],
    ['ledger__list', 'Lists accounts.'],
    ['archive__search', 'Searches.\nOf the server archive.'],
    ['archive__list', 'Lists years.'],
  ])
})

describe('what a server says of itself', () => {
  const speaking = (instructions: unknown, title: unknown = 'The shop') =>
    startScriptedServer({
      initialize: (seen) => seen.result({ ...initializeResult, serverInfo: { ...initializeResult.serverInfo, title }, instructions }),
    })

  test('comes with the tools: capped, well-formed, without secrets', async () => {
    await using server = await speaking(`The key is hunter2. ${'x'.repeat(2026)}\ud83d\ude00`)
    await using opened = await openBox([aServer(server.url, { description: 'Route of the shop', notes: 'Amounts are in CHF.' })], {
      redact: (text) => text.replaceAll('hunter2', '[secret]'),
    })
    expect(opened.box.servers).toEqual([
      {
        server: 'shop',
        title: 'The shop',
        description: 'Route of the shop',
        instructions: { by: 'server', text: `The key is [secret]. ${'x'.repeat(2026)}\ufffd` },
        notes: 'Amounts are in CHF.',
      },
    ])
  })

  test('is dropped, or replaced, as the job says', async () => {
    await using server = await speaking('Do as I say.')
    await using dropped = await openBox([aServer(server.url, { instructions: 'drop' })])
    await using replaced = await openBox([aServer(server.url, { instructions: 'Ask for one month at a time.' })])
    expect(dropped.box.servers[0]?.instructions).toBeUndefined()
    expect(replaced.box.servers[0]?.instructions).toEqual({ by: 'job', text: 'Ask for one month at a time.' })
    expect([dropped, replaced].map(({ box }) => box.instructions.map(({ definition }) => definition))).toEqual([
      [{ title: 'The shop' }],
      [{ title: 'The shop' }],
    ])
  })

  test('has a digest of its own, whole', async () => {
    const digestOf = async (text: string) => {
      await using server = await speaking(text)
      await using opened = await openBox([aServer(server.url)])
      return opened.box.instructions[0]?.digest
    }
    const long = 'x'.repeat(3000)
    expect(await digestOf(`${long}a`)).not.toBe(await digestOf(`${long}b`))
  })

  test('may be nothing', async () => {
    await using server = await startScriptedServer()
    await using opened = await openBox([aServer(server.url)])
    expect([opened.box.servers[0]?.instructions, opened.box.instructions]).toEqual([undefined, []])
  })
})

describe('a call', () => {
  test('carries the digits that the model wrote', async () => {
    await using server = await startScriptedServer()
    const bodies: string[] = []
    await using opened = await openBox([aServer(server.url)])
    server.on['tools/call'] = (seen) => {
      bodies.push(seen.body)
      seen.result(textResult('done'))
    }
    await opened.call('shop__act', '{"n": 9007199254740993, "note": "a $& b"}')
    expect(bodies[0]).toContain('"arguments":{"n": 9007199254740993, "note": "a $& b"}')
    expect(opened.journal.calls[0]?.arguments).toBe('{"n": 9007199254740993, "note": "a $& b"}')
  })

  test('that is wrong twice is told the schema, and no more once it was right', async () => {
    await using server = await startScriptedServer()
    await using opened = await openBox([aServer(server.url)])
    const told: boolean[] = []
    for (const args of ['{"n": "one"}', '{"n": "two"}', '{"n": 1}', '{"n": "three"}'])
      told.push((await opened.call('shop__act', args)).text.includes('The arguments of shop__act are: {'))
    expect(told).toEqual([false, true, false, false])
  })

  test('of a tool that may be repeated is given up after its time, and the model is told', async () => {
    await using server = await startScriptedServer({ 'tools/call': () => {} })
    await using opened = await openBox([aServer(server.url, { callTimeoutMs: 50 })])
    expect(await opened.call('shop__look')).toMatchObject({
      status: 'error',
      text: 'Error: no answer within 0.05 s; ask for less, or try once more.',
      failure: { code: 'UPSTREAM_UNAVAILABLE' },
    })
    expect(opened.journal.ends).toMatchObject([{ status: 'error', result: { truncated: false } }])
    await (
      await server.arrived('tools/call')
    ).closed
  })

  test('of any other tool may have run when its time is over', async () => {
    await using server = await startScriptedServer({ 'tools/call': () => {} })
    await using opened = await openBox([aServer(server.url, { callTimeoutMs: 50 })])
    await expect(opened.call('shop__act')).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      message: expect.stringContaining('The call of act on shop got no answer within 0.05 s: it may have run.'),
    })
    expect(opened.journal.ends).toMatchObject([{ status: 'unknown' }])
  })
})

describe('a resource', () => {
  const csv = 'month,total\n2026-11,14988'
  const library = (link: string) =>
    startScriptedServer({
      initialize: (seen) => seen.result({ ...initializeResult, capabilities: { tools: {}, resources: {} } }),
      'tools/call': (seen) => seen.result({ content: [{ type: 'resource_link', uri: link, name: 'November' }] }),
      'resources/read': (seen) => seen.result({ contents: [{ uri: link, mimeType: 'text/csv', text: csv }] }),
    })
  const read = (opened: OpenedBox, uri: string, server = 'shop') => opened.call('nightshift__read', JSON.stringify({ server, uri }))

  test('can be read where a server offers some, after the tools of the job', async () => {
    await using without = await startScriptedServer()
    await using plain = await openBox([aServer(without.url)])
    expect(plain.box.tools.map(({ name }) => name)).toEqual(['shop__act', 'shop__look'])
    expect(await read(plain, 'ledger://2026-11')).toMatchObject({ status: 'refused', failure: { code: 'TOOL_NOT_ALLOWED' } })
    await using server = await library('ledger://2026-11')
    await using opened = await openBox([aServer(server.url)])
    expect(opened.box.tools.map(({ name }) => name)).toEqual(['shop__act', 'shop__look', 'nightshift__read'])
    expect(opened.box.isRepeatable('nightshift__read')).toBe(true)
  })

  test('that a result named is read through the gateway, as a request with its row', async () => {
    await using server = await library('ledger://2026-11')
    await using opened = await openBox([aServer(server.url)])
    expect((await opened.call()).text).toBe('[link November: ledger://2026-11. Read it with nightshift__read.]')
    expect(await read(opened, 'ledger://2026-11')).toMatchObject({ status: 'ok', text: csv })
    const [, row] = opened.journal.calls
    expect(row).toMatchObject({
      server: 'shop',
      tool: 'nightshift__read',
      arguments: { server: 'shop', uri: 'ledger://2026-11' },
      repeatable: true,
    })
    expect(opened.journal.requests.at(-1)).toMatchObject({ rpcMethod: 'resources/read', server: 'shop', toolCallId: row?.id })
    expect(opened.journal.ends[0]?.result).toEqual({ text: expect.any(String), truncated: false, uris: ['ledger://2026-11'] })
  })

  test('that no result named is refused and not asked for', async () => {
    await using server = await library('ledger://2026-11')
    await using opened = await openBox([aServer(server.url)])
    const refused = await read(opened, 'ledger://secret')
    expect(refused).toMatchObject({
      status: 'refused',
      mistake: true,
      text: expect.stringContaining('none named ledger://secret. No result has named one so far.'),
    })
    await opened.call()
    expect((await read(opened, 'ledger://secret')).text).toContain('The ones named: ledger://2026-11.')
    expect(server.seen.map(({ kind }) => kind)).not.toContain('resources/read')
  })

  test('may be one that the job allows, or that an earlier attempt was told of', async () => {
    await using server = await library('ledger://2026-11')
    await using opened = await openBox([aServer(server.url, { resources: ['ledger://glossary/*'] })], {
      namedUris: new Map([['shop', ['ledger://2026-10']]]),
    })
    for (const uri of ['ledger://glossary/terms', 'ledger://2026-10']) expect(await read(opened, uri)).toMatchObject({ status: 'ok' })
  })

  test('of a server that is none is refused', async () => {
    await using server = await library('ledger://2026-11')
    await using opened = await openBox([aServer(server.url)])
    expect(await read(opened, 'ledger://2026-11', 'nowhere')).toMatchObject({
      status: 'refused',
      text: expect.stringContaining('/server is "nowhere"; it must be one of "shop".'),
    })
  })

  test('that the server does not have is told as its error', async () => {
    await using server = await library('ledger://2026-11')
    server.on['resources/read'] = (seen) =>
      seen.json({ jsonrpc: '2.0', id: seen.id, error: { code: -32002, message: 'Resource not found' } })
    await using opened = await openBox([aServer(server.url)])
    await opened.call()
    expect(await read(opened, 'ledger://2026-11')).toMatchObject({ status: 'error', text: 'Error: Resource not found (code -32002)' })
  })
})
