import { describe, expect, test } from 'vitest'
import { aServer, openBox } from '../../support/mcp/tool-box.ts'
import { aTool, startScriptedServer, textResult } from '../../support/mcp/scripted-server.ts'

const startLargeServer = (count: number) => {
  const tools = Array.from({ length: count }, (_, n) => aTool(`tool_${n}`, { description: n % 7 === 0 ? 'Lists invoices.' : `Does ${n}.` }))
  return startScriptedServer({
    'tools/list': (seen) => seen.result({ tools }),
    'tools/call': (seen) => seen.result(textResult(`did ${seen.params?.name}`)),
  })
}

const openLarge = async (url: string, resultBytes = 10_000) =>
  openBox([aServer(url, { allow: ['tool_*'], repeatable: ['tool_40'] })], { resultBytes })

describe('a job with many tools', () => {
  test('shows all of 30, and of more the first 30 and two tools for the rest', async () => {
    await using few = await startLargeServer(30)
    await using many = await startLargeServer(60)
    await using small = await openLarge(few.url)
    await using large = await openLarge(many.url)
    expect(small.box.tools).toHaveLength(30)
    expect(large.box.tools.map(({ name }) => name).slice(28)).toEqual([
      'shop__tool_34',
      'shop__tool_35',
      'nightshift__find_tools',
      'nightshift__call_tool',
    ])
    expect(large.box.tools.at(-2)?.description).toContain('there are 30 more')
    expect(large.box.offered).toHaveLength(60)
  })

  test('finds those with the words, each with what is needed to call it, and asks no server', async () => {
    await using server = await startLargeServer(60)
    await using opened = await openLarge(server.url)
    const found = await opened.call('nightshift__find_tools', '{"query": "list the invoices"}')
    expect(found).toMatchObject({ status: 'ok', mistake: false })
    expect(found.text.split('\n\n')[0]).toBe(
      'shop__tool_42: Lists invoices.\nParameters: {"type":"object","properties":{"n":{"type":"integer"}}}',
    )
    expect(found.text).not.toContain('tool_41')
    expect(opened.journal.calls).toMatchObject([{ server: 'nightshift', tool: 'nightshift__find_tools' }])
    expect(server.seen.map(({ kind }) => kind)).not.toContain('tools/call')
    expect((await opened.call('nightshift__find_tools', '{"query": "zebra"}')).text).toMatch(
      /^No tool has these words\. There are: shop__tool_36, /,
    )
  })

  test('keeps what it finds where that is larger than is shown, so that all of it can be read', async () => {
    await using server = await startLargeServer(60)
    await using opened = await openLarge(server.url, 200)
    const found = await opened.call('nightshift__find_tools', '{"query": "invoices"}')
    expect(found).toMatchObject({ status: 'ok', truncated: true, kept: { whole: true } })
    expect(found.text).toMatch(/^\[Result t1c1 has .* Read the rest with nightshift__read_result/)
    expect([...opened.journal.contents.values()].join('')).toMatch(/^shop__tool_42: Lists invoices\.[^]*shop__tool_56: /)
    expect(opened.journal.ends[0]?.result?.kept).toEqual(found.kept)
  })

  test('calls one that was not shown as the tool itself, with the digits that were written', async () => {
    await using server = await startLargeServer(60)
    await using opened = await openLarge(server.url)
    const call = opened.box.resolve({
      name: 'nightshift__call_tool',
      arguments: '{"tool": "shop__tool_40", "arguments": {"n": 9007199254740993}}',
    })
    expect(call).toEqual({ name: 'shop__tool_40', arguments: '{"n": 9007199254740993}' })
    expect([opened.box.isRepeatable(call.name), opened.box.serverOf(call.name)]).toEqual([true, 'shop'])
    expect(await opened.call(call.name, call.arguments)).toMatchObject({ status: 'ok', text: 'did tool_40' })
    expect((await server.arrived('tools/call')).body).toContain('{"n": 9007199254740993}')
  })

  test.each(['{"arguments": {}}', '[]', '{"tool": 7}', 'x'])('says of a call %s what is missing', async (written) => {
    await using server = await startLargeServer(60)
    await using opened = await openLarge(server.url)
    const call = opened.box.resolve({ name: 'nightshift__call_tool', arguments: written })
    expect(await opened.call(call.name, call.arguments)).toMatchObject({
      status: 'refused',
      mistake: true,
      text: expect.stringContaining('takes the name of a tool and its arguments'),
    })
  })

  test('offers none of it where all are shown', async () => {
    await using server = await startLargeServer(3)
    await using opened = await openLarge(server.url)
    const call = { name: 'nightshift__call_tool', arguments: '{"tool":"shop__tool_1","arguments":{}}' }
    expect(opened.box.resolve(call)).toEqual(call)
    expect(await opened.call(call.name, call.arguments)).toMatchObject({ status: 'refused', mistake: true })
  })
})
