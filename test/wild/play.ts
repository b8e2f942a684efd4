import { Failure, messageOf } from '../../src/core/failure.ts'
import { aTool, startScriptedServer, type Serve } from '../support/mcp/scripted-server.ts'
import { aServer, openBox } from '../support/mcp/tool-box.ts'
import type { WildCase } from './case.ts'

export interface PlayedCase {
  name: string
  expected: string
  /** Status and what the model is told, or the code of a failure. */
  came: string
  asExpected: boolean
}

const MAX_SHOWN = 300
const listed: Serve = (seen) => seen.result({ tools: [{ ...aTool('echo'), inputSchema: { type: 'object' } }] })

/** Lets the tool box meet a server that does as one in the wild. */
export async function playCase(one: WildCase): Promise<PlayedCase> {
  const { name, expected } = one
  const came = await meet(one).catch((error: unknown) =>
    error instanceof Failure ? error.code : `no failure of ours: ${messageOf(error)}`,
  )
  return {
    name,
    expected,
    came: came.slice(0, MAX_SHOWN),
    asExpected: came === expected || (expected.includes(': ') && came.startsWith(expected)),
  }
}

async function meet({ on, tool = 'echo', arguments: args = '{}', repeatable = false }: WildCase): Promise<string> {
  await using server = await startScriptedServer({ 'tools/list': listed, ...on })
  await using opened = await openBox([aServer(server.url, { allow: [tool], repeatable: repeatable ? [tool] : [] })], {
    maxResponseBytes: 16_777_216,
    resultBytes: 100_000,
  })
  const { status, text } = await opened.call(opened.box.tools[0]?.name, args)
  return `${status}: ${text}`
}
