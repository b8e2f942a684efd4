import { json } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { checkHosted } from '../../src/doctor/hosted.ts'
import { createProvider, type ProviderOptions } from '../../src/models/openai/provider.ts'
import { serveHttp } from '../support/net/listen.ts'

const bodySchema = z.looseObject({ tools: z.array(z.looseObject({ server_label: z.string() })).optional() })
type Body = z.output<typeof bodySchema>
type Said = { status?: number; body: unknown }

const TARGET = { server: 'labor', url: 'https://labor.example.com' }
const said = (body: unknown, status = 200): Said => ({ body, status })
const error = (message: string, status: number, more: object = {}) => said({ error: { message, type: 'error', ...more } }, status)
const response = (fields: object = {}) => said({ id: 'resp_1', object: 'response', status: 'completed', output: [], ...fields })
const list = (fields: object = {}) => ({ type: 'mcp_list_tools', id: 'l', server_label: 'labor', tools: [], ...fields })
/** A provider that says again what it was asked. */
const echo = (body: Body) => response({ ...body, tools: [] })

interface Case {
  target?: typeof TARGET
  options?: Partial<ProviderOptions>
  /** What it answers to a request without a server, to one with it, and to whoever looks for an answer again. */
  plain?: (body: Body) => Said
  withServer?: (body: Body) => Said
  again?: () => Said
}

async function found({
  target = TARGET,
  options,
  plain = echo,
  withServer = () => response({ output: [list({ error: 'HTTP 401' })] }),
  again,
}: Case) {
  const asked: Body[] = []
  await using server = await serveHttp(async (req, res) => {
    const answer = ({ body, status = 200 }: Said) =>
      void res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (req.method !== 'POST' || req.url?.endsWith('/cancel')) return answer(again?.() ?? error('not found', 404))
    const body = bodySchema.parse(await json(req))
    asked.push(body)
    return answer(body.tools ? withServer(body) : plain(body))
  })
  const provider = createProvider({
    name: 'p', api: 'responses', baseUrl: `${server.url}/v1`, apiKey: () => 'the-key-of-the-provider', stream: true, store: undefined, background: false, labels: false, mcpToken: 'headers',
    runHeader: true, timeoutMs: 5000, maxResponseBytes: 65_536, formatWithTools: false, redact: (text) => text.replaceAll('canary', '[redacted]'), ...options,
  }) // prettier-ignore
  const { signal } = new AbortController()
  const findings = await checkHosted('p', provider, 'm', { target, spend: true, signal })
  await provider.close()
  return { findings, asked }
}

test('a provider that does all of it is asked twice, with a token that nobody has and a tool that there is not', async () => {
  const { findings, asked } = await found({ options: { background: true, labels: true } })
  expect(findings).toMatchObject([
    { check: 'hosted p/m', status: 'ok', message: expect.stringContaining('the gateway refused it at labor') },
  ])
  expect(asked).toMatchObject([
    { max_tool_calls: 1, background: true, store: true, metadata: { nightshift: 'doctor' } },
    {
      tools: [
        {
          type: 'mcp',
          server_label: 'labor',
          server_url: TARGET.url,
          headers: { authorization: 'Bearer Pomerium-nightshift-doctor' },
          allowed_tools: ['nightshift_doctor_probe'],
          require_approval: 'never',
        },
      ],
    },
  ])
})

test('the token goes where the provider wants it', async () => {
  const { asked } = await found({ options: { mcpToken: 'authorization' } })
  expect(asked[1]?.tools?.[0]).toMatchObject({ authorization: 'Pomerium-nightshift-doctor' })
  expect(asked[1]?.tools?.[0]).not.toHaveProperty('headers')
})

const REFUSED = "Error retrieving tool list from MCP server: 'labor'. Http status code: 401 (Unauthorized)"

test.each<[string, Case, object]>([
  ['fails the whole request', { withServer: () => error(REFUSED, 424) }, { status: 'ok' }],
  ['hands on the gateway’s own status', { withServer: () => error('Unauthorized', 401) }, { status: 'ok' }],
  ['says it in the list', { withServer: () => response({ output: [list({ error: { code: 401, message: 'x' } })] }) }, { status: 'ok' }],
  [
    'says it of the answer',
    { withServer: () => response({ status: 'failed', error: { message: 'mcp: Unauthorized' } }) },
    { status: 'ok' },
  ],
  [
    'lists tools all the same',
    { withServer: () => response({ output: [list()] }) },
    { status: 'warning', cure: expect.stringContaining('policy of the route labor') },
  ],
  [
    'says nothing of the server',
    { withServer: () => response({ output: [{ type: 'message', content: [] }] }) },
    { status: 'failed', code: 'MODEL_IGNORED_TOOLS', cure: expect.stringContaining('delegate: local') },
  ],
  [
    'cannot reach the server',
    { withServer: () => response({ output: [list({ error: 'getaddrinfo canary ENOTFOUND' })] }) },
    { status: 'failed', message: expect.stringContaining('getaddrinfo [redacted] ENOTFOUND'), cure: expect.stringContaining(TARGET.url) },
  ],
  [
    'fails the whole request, since it cannot reach the server',
    { withServer: () => error("Error retrieving tool list from MCP server: 'labor'.", 424) },
    { status: 'failed', message: expect.stringContaining('does not reach labor') },
  ],
  [
    'cannot reach a server whose name and address have the words of a refusal',
    {
      target: { server: 'authenticator', url: 'https://forbidden.example.com:401/mcp' },
      withServer: () => error("Error retrieving tool list from MCP server: 'authenticator' (https://forbidden.example.com:401/mcp).", 424),
    },
    {
      status: 'failed',
      message: expect.stringContaining('does not reach authenticator'),
    },
  ],
  [
    'takes the token elsewhere, and names the server',
    {
      target: { server: 'mcp', url: TARGET.url },
      withServer: () =>
        error("tools[server_label='mcp'].headers: Authorization must be passed by the field of the tool, not by headers.", 400),
    },
    { status: 'failed', cure: expect.stringMatching(/^See mcpToken/) },
  ],
  [
    'knows no tools of that type',
    { withServer: () => error("Invalid value: 'mcp'. Supported values are: 'function'.", 400) },
    { status: 'failed', cure: expect.stringMatching(/delegate: local/) },
  ],
])('of a provider that %s', async (_, one, finding) => {
  expect((await found(one)).findings).toMatchObject([finding])
})

const nothing = () => response()

test.each<[string, Case, string[]]>([
  ['background', { options: { background: true }, plain: (body) => response({ ...body, background: false }) }, ['background: false']],
  ['max_tool_calls', { plain: nothing }, ['Name under repeatable']],
  ['metadata', { options: { labels: true }, plain: (body) => response({ ...body, metadata: {} }) }, ['metadata: false']],
  ['store', { options: { store: false }, again: () => response() }, ['providers.p.store']],
  [
    'all of them',
    { options: { background: true, labels: true }, plain: nothing },
    ['background: false', 'Name under repeatable', 'metadata: false'],
  ],
])('a provider that passes over %s is told of, each with its cure', async (_, one, cures) => {
  const { findings } = await found(one)
  expect(findings.slice(1)).toMatchObject(cures.map((cure) => ({ status: 'warning', cure: expect.stringContaining(cure) })))
  expect(findings).toHaveLength(cures.length + 1)
})

test('a field that the provider refuses is told of, and not as one that it passes over', async () => {
  const { findings } = await found({
    plain: (body) => ('max_tool_calls' in body ? error('Unknown parameter', 400, { param: 'max_tool_calls' }) : echo(body)),
  })
  expect(findings.slice(1)).toMatchObject([{ status: 'warning', message: expect.stringContaining('does not take max_tool_calls') }])
})

test('a key that is refused is the key’s fault, and no server is asked for', async () => {
  const { findings, asked } = await found({ plain: () => error('Incorrect API key provided', 401, { code: 'invalid_api_key' }) })
  expect(findings).toMatchObject([{ status: 'failed', code: 'MODEL_AUTH' }])
  expect(asked).toHaveLength(1)
})
