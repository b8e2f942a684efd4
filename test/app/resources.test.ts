import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { countingJob } from '../support/app/jobs.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { countingRoute, startCountingServer } from '../support/mcp/counting-server.ts'
import { serveHttp } from '../support/net/listen.ts'

test('a key of a provider that was replaced in its file is used and hidden from the next request on; without the file the run is tried later', async () => {
  const seen: (string | undefined)[] = []
  // It refuses every key, and repeats it.
  const server = await serveHttp((req, res) => {
    const { authorization } = req.headers
    seen.push(authorization)
    const error = { message: `no key: ${authorization}`, type: 'invalid_request_error', code: 'invalid_api_key', param: null }
    res.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
  })
  await using _ = { [Symbol.asyncDispose]: server.close }
  await using testApp = await buildTestApp({
    jobs: {
      report:
        'account: reports\nmodel: { provider: filed, name: any }\nprompt: Do it.\ntools:\n  labor: { allow: [query], required: false }\nretry: { attempts: 1 }\n',
    },
    files: { 'model.secret': 'canary-first-key' },
    config: { providers: { filed: { baseUrl: server.url, apiKeyFile: './model.secret' } } },
  })
  const file = join(testApp.dir, 'model.secret')
  const first = await testApp.run('report')
  writeFileSync(file, 'canary-second-key\n')
  const second = await testApp.run('report')
  rmSync(file)
  const third = await testApp.run('report')
  expect(seen).toEqual(['Bearer canary-first-key', 'Bearer canary-second-key'])
  expect([first, second, third].map(({ failure }) => failure?.code)).toEqual(['MODEL_AUTH', 'MODEL_AUTH', 'CONFIG_INVALID'])
  expect(third.failure).toMatchObject({ retry: 'later', message: expect.stringContaining('model.secret cannot be used') })
  expect(JSON.stringify([first, second, third]) + testApp.log.join('')).not.toMatch(/canary-(first|second)-key/)
})

const message = (fields: object) => ({ id: 'c', object: 'chat.completion', created: 0, model: 'any', choices: [{ index: 0, ...fields }] })
const CALL = { id: 'call_1', type: 'function', function: { name: 'counting__look', arguments: '{}' } }

test.each(['local', 'hosted'])('a key that is replaced while a run is under way (%s) is that of its next request', async (delegate) => {
  const seen: (string | undefined)[] = []
  const model = await serveHttp(async (req, res) => {
    seen.push(req.headers.authorization)
    const body: unknown = await json(req)
    const isHosted = JSON.stringify(body).includes('"mcp"')
    if (isHosted) writeFileSync(file, 'canary-second-key')
    const answer = req.url?.endsWith('/responses')
      ? {
          id: `resp_${seen.length}`,
          object: 'response',
          status: 'completed',
          model: 'any',
          output: isHosted ? hostedItems : [words('{"n":1}')],
        }
      : seen.length === 1
        ? message({ finish_reason: 'tool_calls', message: { role: 'assistant', content: null, tool_calls: [CALL] } })
        : message({ finish_reason: 'stop', message: { role: 'assistant', content: '{"n":1}' } })
    if (!isHosted) return void res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.end(`event: response.completed\ndata: ${JSON.stringify({ type: 'response.completed', sequence_number: 0, response: answer })}\n\n`)
  })
  await using _ = { [Symbol.asyncDispose]: model.close }
  await using server = await startCountingServer()
  server.answer = () => {
    writeFileSync(file, 'canary-second-key')
    return 'looked'
  }
  const isLocal = delegate === 'local'
  await using testApp = await buildTestApp({
    jobs: {
      work: countingJob({
        provider: 'filed',
        model: 'any',
        more: `delegate: ${delegate}\noutput: { schema: { type: object, required: [n], properties: { n: { type: integer } } } }\n`,
      }),
    },
    routes: [countingRoute(server)],
    files: { 'model.secret': 'canary-first-key' },
    config: {
      providers: { filed: { api: isLocal ? 'chat' : 'responses', stream: false, baseUrl: model.url, apiKeyFile: './model.secret' } },
    },
  })
  const file = join(testApp.dir, 'model.secret')
  await testApp.run('work')
  expect(seen).toEqual(['Bearer canary-first-key', 'Bearer canary-second-key'])
})

const words = (text: string) => ({
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
})
const hostedItems = [
  { type: 'mcp_list_tools', id: 'l', server_label: 'counting', tools: [] },
  { type: 'mcp_call', id: 'm', server_label: 'counting', name: 'look', arguments: '{}', output: 'looked' },
  words('no JSON'),
]
