import { expect, test } from 'vitest'
import { checkPins } from '../../../../src/runs/attempt/pins/check-pins.ts'
import { aTool, startScriptedServer } from '../../../support/mcp/scripted-server.ts'
import { aServer, openBox } from '../../../support/mcp/tool-box.ts'

test('a tool that a pattern lets through and that nobody pinned ends a pinned run, and no other', async () => {
  const tools = [aTool('get_rows'), aTool('get_rows_later')]
  await using server = await startScriptedServer({ 'tools/list': (seen) => seen.result({ tools }) })
  await using opened = await openBox([aServer(server.url, { allow: ['get_*'] })])
  const digests = Object.fromEntries(opened.box.offered.map(({ tool }) => [tool.name, tool.digest()]))
  expect(() => checkPins({ pinned: { shop: digests } }, opened.box)).not.toThrow()
  const { get_rows: known = '' } = digests
  expect(() => checkPins({ pinned: { shop: { get_rows: known } } }, opened.box)).toThrow(
    expect.objectContaining({ code: 'TOOL_CHANGED', message: 'The tool get_rows_later of shop is not pinned.' }),
  )
  expect(() => checkPins({}, opened.box)).not.toThrow()
})
