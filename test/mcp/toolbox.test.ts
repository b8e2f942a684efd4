import { describe, expect, test } from 'vitest'
import { aTool, startScriptedServer, textResult, type Serve } from '../support/mcp/scripted-server.ts'
import { aServer, openBox } from '../support/mcp/tool-box.ts'

describe('the preflight', () => {
  test('offers the tools that the job allows, and no others', async () => {
    await using server = await startScriptedServer({
      'tools/list': (seen) => seen.result({ tools: ['act', 'look', 'destroy'].map((name) => aTool(name)) }),
    })
    await using opened = await openBox([aServer(server.url)])
    expect(opened.box.tools.map(({ name }) => name)).toEqual(['shop__act', 'shop__look'])
    expect(opened.box.notes).toEqual([])
  })

  test('leaves the dialect out of what the model is told, and keeps it for the check', async () => {
    const inputSchema = { $schema: 'http://json-schema.org/draft-04/schema#', properties: { n: { type: 'integer' } } }
    await using server = await startScriptedServer({ 'tools/list': (seen) => seen.result({ tools: [aTool('act', { inputSchema })] }) })
    await using opened = await openBox([aServer(server.url, { allow: ['act'] })])
    expect(opened.box.tools).toEqual([
      { name: 'shop__act', description: 'does act', parameters: { type: 'object', properties: { n: { type: 'integer' } } } },
    ])
    expect(await opened.call('shop__act', '{"n": "one"}')).toMatchObject({ mistake: true })
  })

  test('ends when a tool of a required server is not there, and names those that are', async () => {
    await using server = await startScriptedServer()
    await expect(openBox([aServer(server.url, { allow: ['act', 'fly'] })])).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      message: expect.stringContaining('The tool fly of shop is not offered; it offers act, look.'),
    })
  })

  const unusable: [string, Record<string, unknown>, string][] = [
    ['that works only as a task', { execution: { taskSupport: 'required' } }, 'it works only as a task'],
    ['whose input is a list', { inputSchema: { type: 'array' } }, 'its input is not an object'],
  ]
  test.each(unusable)('ends when a required tool is one %s, and says so', async (_, change, why) => {
    await using server = await startScriptedServer({
      'tools/list': (seen) => seen.result({ tools: [aTool('act', change), aTool('look')] }),
    })
    await expect(openBox([aServer(server.url)])).rejects.toMatchObject({ code: 'TOOL_MISSING', message: expect.stringContaining(why) })
  })

  test('says of an optional server why a tool is left out', async () => {
    await using server = await startScriptedServer({
      'tools/list': (seen) => seen.result({ tools: [aTool('act', { execution: { taskSupport: 'required' } }), aTool('look')] }),
    })
    await using opened = await openBox([aServer(server.url, { required: false, allow: ['act', 'look', 'fly'] })])
    expect(opened.box.tools.map(({ name }) => name)).toEqual(['shop__look'])
    expect(opened.box.notes).toEqual([
      'The tool act of shop cannot be used: it works only as a task.',
      'The tool fly of shop is not offered; it offers look.',
    ])
  })

  test('goes on without an optional server that does not answer', async () => {
    await using good = await startScriptedServer()
    await using bad = await startScriptedServer({ initialize: ({ res }) => void res.writeHead(503).end() })
    await using opened = await openBox([aServer(bad.url, { name: 'extra', required: false }), aServer(good.url)])
    expect(opened.box.tools.map(({ name }) => name)).toEqual(['shop__act', 'shop__look'])
    expect(opened.box.notes).toEqual([expect.stringContaining('extra')])
  })

  test('closes the sessions it opened when a required server does not answer', async () => {
    await using good = await startScriptedServer({
      initialize: (seen) => {
        seen.res.setHeader('mcp-session-id', 's1')
        seen.result({ protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'good', version: '1' } })
      },
    })
    await using bad = await startScriptedServer({ initialize: ({ res }) => void res.writeHead(503).end() })
    await expect(openBox([aServer(good.url), aServer(bad.url, { name: 'extra' })])).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      server: 'extra',
    })
    expect(good.seen.map(({ kind }) => kind)).toContain('DELETE')
  })

  test('keeps tools of one name apart by their servers', async () => {
    await using one = await startScriptedServer({ 'tools/call': (seen) => seen.result(textResult('one')) })
    await using two = await startScriptedServer({ 'tools/call': (seen) => seen.result(textResult('two')) })
    await using opened = await openBox([aServer(one.url, { name: 'one' }), aServer(two.url, { name: 'two' })])
    expect([(await opened.call('one__act')).text, (await opened.call('two__act')).text]).toEqual(['one', 'two'])
  })
})

describe('a mistake of the model', () => {
  const mistakes: [string, string, string, string][] = [
    ['a tool that does not exist', 'shop__fly', '{}', 'Error: there is no tool shop__fly. The tools are: shop__act, shop__look.'],
    ['a tool that the job does not allow', 'shop__destroy', '{}', 'there is no tool shop__destroy.'],
    ['the server’s own name of a tool', 'act', '{}', 'there is no tool act; did you mean shop__act?'],
    ['a name from the prototype', 'constructor', '{}', 'there is no tool constructor.'],
    ['arguments that are not JSON', 'shop__act', '{"n": ', 'the arguments are not valid JSON, so the tool was not called'],
    ['arguments that are a list', 'shop__act', '[1]', 'the arguments are [1], so the tool was not called; they must be a JSON object'],
    ['arguments that are a text', 'shop__act', '"n"', 'the arguments are "n", so the tool was not called; they must be a JSON object'],
    ['an argument of another type', 'shop__act', '{"n": "one"}', '- /n is "one"; it must be an integer, such as 1.'],
    ['an argument too many', 'shop__look', '{"n": 1, "x": 1}', '- /x is not known; the known ones are n.'],
    ['an argument too few', 'shop__look', '{}', '- /n is missing; it is an integer, such as 1.'],
  ]
  test.each(mistakes)('(%s) is told to it and never sent', async (_, name, args, told) => {
    const strict = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'], additionalProperties: false }
    await using server = await startScriptedServer({
      'tools/list': (seen) => seen.result({ tools: [aTool('act'), aTool('look', { inputSchema: strict }), aTool('destroy')] }),
    })
    await using opened = await openBox([aServer(server.url)])
    expect(await opened.call(name, args)).toMatchObject({ status: 'refused', mistake: true, text: expect.stringContaining(told) })
    expect(server.seen.map(({ kind }) => kind)).not.toContain('tools/call')
    expect(opened.journal.calls).toHaveLength(1)
    expect(opened.journal.ends).toMatchObject([{ id: opened.journal.calls[0]?.id, status: 'refused' }])
  })

  test.each(['', 'null'])('is not %j for arguments: that is no arguments', async (written) => {
    await using server = await startScriptedServer()
    await using opened = await openBox([aServer(server.url)])
    expect(await opened.call('shop__act', written)).toMatchObject({ status: 'ok' })
    expect((await server.arrived('tools/call')).params).toMatchObject({ name: 'act', arguments: {} })
  })

  test('is not found where a schema cannot be read: the server checks its own', async () => {
    await using server = await startScriptedServer({
      'tools/list': (seen) =>
        seen.result({ tools: [aTool('act', { inputSchema: { type: 'object', properties: { n: { $ref: '#/nowhere' } } } })] }),
    })
    await using opened = await openBox([aServer(server.url, { allow: ['act'] })])
    expect(await opened.call()).toMatchObject({ status: 'ok' })
  })
})

describe('a result', () => {
  const answers: [string, Serve, object][] = [
    ['is told as it is', (seen) => seen.result(textResult('fine')), { status: 'ok', text: 'fine', truncated: false }],
    [
      'says that the tool failed',
      (seen) => seen.result({ ...textResult('no such row'), isError: true }),
      { status: 'error', text: 'Error: no such row', failure: null },
    ],
    [
      'is a JSON-RPC error',
      (seen) => seen.json({ jsonrpc: '2.0', id: seen.id, error: { code: -32603, message: 'broken' } }),
      { status: 'error', text: 'Error: broken (code -32603)', failure: null },
    ],
    [
      'is cut at the limit, at a character, and says so',
      (seen) => seen.result(textResult(`a${'ü'.repeat(1000)}`)),
      {
        status: 'ok',
        text: `[Result t1c1 has 2.0 KB (text of 1 line). It is shown in part: the beginning and the end. Read the rest with nightshift__read_result, or search it, before you say anything that depends on it.]\na${'ü'.repeat(374)}\n[1002 bytes of 2.0 KB are left out here]\n${'ü'.repeat(125)}`,
        truncated: true,
      },
    ],
    [
      'is an error that is cut at the limit',
      (seen) => seen.json({ jsonrpc: '2.0', id: seen.id, error: { code: -32603, message: 'x'.repeat(2000) } }),
      {
        status: 'error',
        text: expect.stringMatching(/^\[Result t1c1 has .*\]\nError: x+\n\[1021 bytes of 2.0 KB are left out here\]\nx+ \(code -32603\)$/),
        truncated: true,
      },
    ],
    [
      'is as large as the limit, and whole',
      (seen) => seen.result(textResult('a'.repeat(1000))),
      { text: 'a'.repeat(1000), truncated: false },
    ],
  ]
  test.each(answers)('%s', async (_, serve, outcome) => {
    await using server = await startScriptedServer({ 'tools/call': serve })
    await using opened = await openBox([aServer(server.url)])
    const given = await opened.call()
    expect(given).toMatchObject({ mistake: false, ...outcome })
    expect(opened.journal.ends).toMatchObject([{ status: given.status, result: { text: given.text, truncated: given.truncated } }])
  })

  test('is cleared of secrets before it is kept or told', async () => {
    await using server = await startScriptedServer({ 'tools/call': (seen) => seen.result(textResult('the key is hunter2')) })
    await using opened = await openBox([aServer(server.url)], { redact: (text) => text.replaceAll('hunter2', '[secret]') })
    expect((await opened.call()).text).toBe('the key is [secret]')
    expect(JSON.stringify(opened.journal.ends)).not.toContain('hunter2')
  })
})
