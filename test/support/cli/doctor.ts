import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { expect } from 'vitest'
import { z } from 'zod'
import { createSigningKey } from '../../../src/audit/evidence/keys.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { countingJob } from '../app/jobs.ts'
import { buildTestApp, type TestApp, type TestAppOptions } from '../app/test-app.ts'
import { countingRoute, startCountingServer, type CountingServer } from '../mcp/counting-server.ts'
import { serveHttp } from '../net/listen.ts'
import { command } from './command.ts'

/** A job that needs the counting server. */
export const job = (tools = 'counting: { allow: [act] }', more = '') => countingJob({ tools, more })

export const findingSchema = z.strictObject({
  check: z.string(),
  status: z.enum(['ok', 'warning', 'failed', 'skipped']),
  message: z.string(),
  cure: z.string().optional(),
  code: z.string().optional(),
})
export type Finding = z.output<typeof findingSchema>

interface Provider extends AsyncDisposable {
  url: string
}

/** A provider that lists one model. */
async function startProvider(model: string): Promise<Provider> {
  const server = await serveHttp((req, res) => {
    const isList = req.url === '/v1/models'
    const body = isList ? { object: 'list', data: [{ id: model, object: 'model', created: 0, owned_by: 'test' }] } : {}
    res.writeHead(isList ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  return { url: `${server.url}/v1`, [Symbol.asyncDispose]: server.close }
}

export interface Setup extends AsyncDisposable {
  testApp: TestApp
  server: CountingServer
}

/** A Nightshift that has nothing to complain of but what `options` puts into it. */
export async function openSetup(
  options: Partial<TestAppOptions> & { model?: string; policy?: Record<string, unknown>; route?: Record<string, unknown> } = {},
): Promise<Setup> {
  await using building = new AsyncDisposableStack()
  const server = building.use(await startCountingServer())
  const provider = building.use(await startProvider(options.model ?? 'scripted'))
  const policy = options.policy ?? { allowUsers: ['svc-reports'], denyTool: 'nightshift_doctor_probe' }
  const testApp = building.use(
    await buildTestApp({
      jobs: { act: job() },
      ...options,
      routes: [countingRoute(server, { policy, maxRequestBytes: 65_536, ...options.route })],
      config: {
        servers: { counting: { maxRequestBytes: 65_536 } },
        providers: { openai: { baseUrl: provider.url, apiKey: 'canary-model-key' } },
        ...options.config,
      },
    }),
  )
  const { keyFile } = testApp.app.config.evidence
  if (options.config?.['evidence'] === undefined) createSigningKey(keyFile)
  const stack = building.move()
  return { testApp, server, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** Lines of Pomerium's log as the audit keeps them. */
export async function insertLines({ testApp }: Setup, { method = 'tools/call', params = 'sha256:x', run = 'run_1' } = {}): Promise<void> {
  await query(
    testApp.app.db,
    `insert into authorize_events (line_digest, occurrence, request_id, time, method, host, path, ip, user_id, allowed, reasons, mcp_method, params_digest, run_header)
     values ('d', 1, 'r', now(), 'POST', 'h', '/', 'i', 'u', true, '{}', nullif($1, ''), nullif($2, ''), nullif($3, ''))`,
    [method, params, run],
  )
}

/** What `doctor --json` finds; no secret is in it. */
export async function examine({ testApp }: Setup, ...args: string[]): Promise<{ code: number | null; findings: Finding[] }> {
  const { code, out, err } = await command(['-c', testApp.world.configFile, 'doctor', '--json', ...args])
  expect(err).toBe('')
  for (const secret of [testApp.world.account.jwt, 'canary-model-key', new URL(testApp.database.url).password || 'no password'])
    expect(out).not.toContain(secret)
  return { code, findings: z.array(findingSchema).parse(JSON.parse(out)) }
}

/** What is not in order. */
export const troubles = (findings: readonly Finding[]) => findings.filter(({ status }) => status === 'failed' || status === 'warning')

/** Text in the configuration file is replaced. */
export function edit({ testApp: { world } }: Setup, from: string | RegExp, to: string): void {
  const before = readFileSync(world.configFile, 'utf8')
  const after = before.replace(from, to)
  expect(after).not.toBe(before)
  writeFileSync(world.configFile, after)
}

/** A listener that takes connections and never says a word. */
export async function listenSilently(): Promise<{ port: number; connected: Promise<unknown> } & AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {})))
  const connected = once(server, 'connection')
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = z.object({ port: z.number() }).parse(server.address())
  return {
    port,
    connected,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  }
}
