// Whether the provider goes to MCP servers itself, as doctor --spend asks it.
import { json } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { checkHosted } from '../../../../src/doctor/hosted.ts'
import { createProvider } from '../../../../src/models/anthropic/provider.ts'
import { serveHttp } from '../../../support/net/listen.ts'

const TARGET = { server: 'labor', url: 'https://labor.example.com/mcp' }
const bodySchema = z.looseObject({ mcp_servers: z.unknown(), tools: z.unknown() })

async function found(status: number, answer: object) {
  const asked: unknown[] = []
  await using server = await serveHttp(async (req, res) => {
    asked.push({ ...bodySchema.parse(await json(req)), beta: req.headers['anthropic-beta'] })
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  const provider = createProvider({ name: 'p', baseUrl: server.url, apiKey: () => undefined, stream: true, labels: false, timeoutMs: 5000, maxResponseBytes: 65_536, formatWithTools: true, maxTokensOf: () => undefined, redact: (text) => text }) // prettier-ignore
  const findings = await checkHosted('p', provider, 'm', { target: TARGET, spend: true, signal: new AbortController().signal })
  await provider.close()
  return { findings, asked }
}

const failed = (message: string) => ({ type: 'error', error: { type: 'invalid_request_error', message } })
const said = (...blocks: object[]) => ({
  id: 'msg_1',
  content: [...blocks, { type: 'text', text: 'ok' }],
  stop_reason: 'end_turn',
  usage: {},
})

test.each([
  ['refuses the token by the gateway’s word', 400, failed('Authentication error while communicating with MCP server. Please check your authorization token.'), { status: 'ok', message: expect.stringContaining('the gateway refused it at labor') }],
  ['refuses the token by its name', 400, failed("Invalid authorization token for MCP server 'labor'. Please check your token and try again."), { status: 'ok' }],
  ['does not reach the server', 400, failed('Connection error while communicating with MCP server.'), { status: 'failed', message: expect.stringContaining('does not reach labor') }],
  ['lists the tools without a token', 200, said({ type: 'mcp_tool_listing', mcp_server_name: 'labor', tools: [] }), { status: 'warning' }],
  ['does not look', 200, said(), { status: 'failed', code: 'MODEL_IGNORED_TOOLS' }],
  ['does not know the field', 400, failed('mcp_servers: Extra inputs are not permitted'), { status: 'failed', message: expect.stringContaining('refuses a request with an MCP server') }],
])('a provider that %s', async (_, status, answer, finding) => {
  const { findings, asked } = await found(status, answer)
  expect(findings[0]).toMatchObject({ check: 'hosted p/m', ...finding })
  expect(asked).toEqual([
    expect.objectContaining({
      beta: 'mcp-client-2026-09-15',
      mcp_servers: [{ type: 'url', name: 'labor', url: TARGET.url, authorization_token: 'Pomerium-nightshift-doctor' }],
    }),
  ])
  // It has no field for the most calls, and doctor says so.
  expect(findings[1]).toMatchObject({ status: 'warning', message: expect.stringContaining('max_tool_calls') })
}) // prettier-ignore
