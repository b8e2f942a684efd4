import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { query } from '../../../src/store/postgres/db.ts'
import { countingRoute, startCountingServer, type CountingServer } from '../mcp/counting-server.ts'
import { startRawProvider, type RawExchange, type RawProvider } from '../model/raw-provider.ts'
import { buildTestApp, type TestApp, type TestAppOptions } from './test-app.ts'
import { countingJob } from './jobs.ts'
import { until } from '../until.ts'

/** A hosted job over the counting server; `more` is YAML that follows. */
export const hostedJob = (more = '', tools?: string) =>
  countingJob({ ...(tools !== undefined && { tools }), retry: '{ attempts: 3, backoff: 10ms }', more: `delegate: hosted\n${more}` })

export interface HostedApp extends AsyncDisposable {
  server: CountingServer
  testApp: TestApp
}

/** A Nightshift with one hosted job, `act`, whose model says `script`. */
export async function hostedApp(script: string, options: Partial<TestAppOptions> & { job?: string } = {}): Promise<HostedApp> {
  await using building = new AsyncDisposableStack()
  const { job = hostedJob(), routes = [], ...rest } = options
  const server = building.use(await startCountingServer())
  const testApp = building.use(
    await buildTestApp({ jobs: { act: job }, scripts: { scripted: script }, ...rest, routes: [countingRoute(server), ...routes] }),
  )
  const stack = building.move()
  return { server, testApp, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const askedSchema = z.looseObject({
  input: z.unknown(),
  stream: z.boolean().optional(),
  background: z.boolean().optional(),
  store: z.boolean().optional(),
  tools: z
    .array(
      z.object({
        type: z.string(),
        server_label: z.string(),
        server_url: z.string(),
        headers: z.record(z.string(), z.string()).optional(),
        authorization: z.string().optional(),
        allowed_tools: z.array(z.string()),
        require_approval: z.unknown(),
      }),
    )
    .optional(),
})

/** The bodies that the provider was sent. */
export const askedOf = ({ testApp }: HostedApp) => z.array(askedSchema).parse(testApp.world.model.requests)

const lineSchema = z.looseObject({
  host: z.string(),
  'request-id': z.string(),
  'service-account-id': z.string().optional(),
  'mcp-method': z.string().optional(),
  'mcp-tool': z.string().optional(),
  headers: z.record(z.string(), z.string()),
  allow: z.boolean(),
})

/** The gateway's authorize lines so far. */
export async function authorizeLines({ testApp }: HostedApp) {
  await testApp.world.gateway.flushLog()
  const lines = readFileSync(testApp.world.logFile, 'utf8').trim().split('\n')
  return lines.map((line) => lineSchema.parse(JSON.parse(line)))
}

export interface ResponseRow {
  turn: number
  attempt: number
  response_id: string | null
  background: boolean
  state: string
}

/** What is written of hosted answers. */
export const responseRows = ({ testApp }: HostedApp) =>
  query<ResponseRow>(testApp.database.db, 'select turn, attempt, response_id, background, state from responses order by turn')

/** Resolves when the answer under way has an id in its row. */
export const idWritten = (one: HostedApp): Promise<string> => until(async () => (await responseRows(one)).at(-1)?.response_id ?? undefined)

export interface RawHostedApp extends HostedApp {
  provider: RawProvider
}

interface RawHostedOptions {
  job?: string
  background?: boolean
  worker?: object
  /** Beside the provider and the worker. */
  config?: Record<string, unknown>
  answer: (exchange: RawExchange, nth: number) => unknown
  other?: (exchange: RawExchange) => unknown
}

/** A Nightshift with one hosted job, `act`, whose provider does what `answer` says. */
export async function rawHostedApp({ background = false, worker = {}, config = {}, job, ...raw }: RawHostedOptions): Promise<RawHostedApp> {
  await using building = new AsyncDisposableStack()
  let server = ''
  const provider = building.use(await startRawProvider({ ...raw, server: () => server }))
  const one = building.use(
    await hostedApp('say unused', {
      config: { ...config, worker, providers: { openai: { baseUrl: provider.url, apiKey: 'demo-model-key', background } } },
      ...(job !== undefined && { job }),
    }),
  )
  server = one.server.url
  const stack = building.move()
  return { ...one, provider, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
