import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { environment } from '../../src/config/environment.ts'
import type { FaultBench } from '../support/app/fault-bench.ts'
import { freePort, listen } from '../support/net/listen.ts'
import { until } from '../support/until.ts'
import { actsOf, cancelInFirstCall, TOTAL_OUTPUT } from './pieces.ts'
import { playRow, type Expected, type ProviderRow } from './row.ts'

/**
 * A server that is not ours, before the stand-in model. The command is started with PORT to listen on, MODEL_URL and MODEL_KEY of that model, and HTTPS_PROXY and SSL_CERT_FILE
 * for its way to the gateway. The way is `hosted`, `responses` or `chat`; settings of the provider are JSON, such as {"mcpToken":"authorization"}.
 */
const {
  NIGHTSHIFT_TEST_SERVER_COMMAND: command,
  NIGHTSHIFT_TEST_SERVER_WAY: way = 'hosted',
  NIGHTSHIFT_TEST_SERVER_MODEL: model = 'scripted',
  NIGHTSHIFT_TEST_SERVER_SETTINGS: settings = '{}',
} = environment

/** A proxy that brings whoever asks for a host to the gateway. */
async function startTunnel(stack: AsyncDisposableStack, gateway: string): Promise<string> {
  const [host = '', port = ''] = gateway.split(':')
  const server = createServer()
  server.on('connect', (_, socket) => {
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    for (const end of [onward, socket]) end.on('error', () => [onward, socket].forEach((one) => one.destroy()))
  })
  const at = await listen(server)
  stack.defer(() => void server.close())
  return `http://127.0.0.1:${at}`
}

/** Starts the server and waits until it answers. */
async function startOther(stack: AsyncDisposableStack, { world }: FaultBench, port: number): Promise<void> {
  const env = {
    ...environment,
    PORT: String(port),
    MODEL_URL: world.model.url,
    MODEL_KEY: 'demo-model-key',
    HTTPS_PROXY: await startTunnel(stack, world.gateway.address),
    SSL_CERT_FILE: join(dirname(world.configFile), 'gateway-ca.pem'),
  }
  const child = spawn(command ?? '', { shell: true, env, stdio: 'ignore', detached: true })
  stack.defer(async () => {
    if (child.exitCode === null && child.pid !== undefined) {
      process.kill(-child.pid, 'SIGKILL')
      await once(child, 'exit')
    }
  })
  const answers = (path: string) =>
    fetch(`http://127.0.0.1:${port}${path}`)
      .then(({ ok }) => ok)
      .catch(() => false)
  // Some list no models of a provider that lists none.
  await until(async () => (await answers('/v1/models')) || (await answers('/health')))
}

const ACTS = actsOf('act')

const LOCAL = 'call counting__act {"n": 1}\ncall counting__look {"n": 1} & counting__look {"n": 2}\n'

const LOCAL_ROWS: [string, Partial<ProviderRow>, Partial<Expected>][] = [
  ['three calls in two turns, and an answer', { script: `${LOCAL}say $1 $2 $3` }, { status: 'succeeded', code: null, made: 3 }],
  ['the same with a schema', { script: `${LOCAL}say {"total": 3}`, more: TOTAL_OUTPUT }, { status: 'succeeded', code: null, made: 3 }],
]

const HOSTED_ROWS: [string, Partial<ProviderRow>, Partial<Expected>][] = [
  ['two calls and an answer', { script: 'call act {"n": 1}\ncall look {}\nsay $1 $2' }, { status: 'succeeded', code: null, made: 2 }],
  [
    'more calls than the job allows',
    { script: `${ACTS}\nsay enough`, more: 'limits: { toolCalls: 2 }' },
    { status: 'incomplete', code: 'BUDGET_TOOL_CALLS' },
  ],
  [
    'a cancel in the midst of a call',
    {
      script: `${ACTS}\nsay enough`,
      play: cancelInFirstCall,
    },
    { status: 'cancelled', code: 'CANCELLED' },
  ],
]

test.skipIf(command === undefined).each(way === 'hosted' ? HOSTED_ROWS : LOCAL_ROWS)(
  'a server that is not ours: %s; every call is written, and no line of the gateway’s log is unexplained',
  async (_, of, expected) => {
    const port = await freePort()
    const provider = { ...JSON.parse(settings), baseUrl: `http://127.0.0.1:${port}/v1` }
    const row: ProviderRow = {
      name: 'other',
      delegate: way === 'hosted' ? 'hosted' : 'local',
      api: way === 'chat' ? 'chat' : 'responses',
      model,
      script: '',
      expected: { status: 'succeeded', code: null, made: 0 },
      prepare: (bench, stack) => startOther(stack, bench, port),
      ...of,
      provider,
    }
    const { why, ...observed } = await playRow(row, { postgresUrl: inject('postgresUrl'), redisUrl: undefined })
    expect({ ...observed, why }).toMatchObject({ ...expected, recorded: observed.made, unexplained: 0 })
  },
  300_000,
)
