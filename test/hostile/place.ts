import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { z } from 'zod'
import { createSigningKey } from '../../src/audit/evidence/keys.ts'
import { createApp, type App } from '../../src/app/app.ts'
import { loadConfig, type Config } from '../../src/config/load.ts'
import { firstWake } from '../../src/core/ports/wake.ts'
import type { RunView } from '../../src/core/view.ts'
import type { Step } from '../../src/demo/model/script.ts'
import { DOMAIN, startWorld, type World } from '../../src/demo/world.ts'
import { createRun } from '../../src/runs/create.ts'
import { query } from '../../src/store/postgres/db.ts'
import { loadRun, loadStatus } from '../../src/store/runs/show.ts'
import { isFinal } from '../../src/core/run.ts'
import { useDatabase } from '../support/app/fault-bench.ts'
import { BIN } from '../support/cli/command.ts'
import { startMeasuredWorker, type MeasuredWorker } from '../support/cli/measured-worker.ts'
import { startScriptedServer, type ScriptedServer } from '../support/mcp/scripted-server.ts'
import { serveHttp } from '../support/net/listen.ts'
import type { Attack, Serving } from './attack.ts'
import { attacksWith } from './attacks.ts'
import { canaryTexts } from './secrets.ts'

const HEAP_MB = 512
const LOOK_MS = 50
const MODEL_KEY = 'sk-proj-c4narymodelkey0123456789abcdef'
export const NEIGHBOUR = 'neighbour'

/** One worker process with little memory, and all that it talks to: for each attack a job, an MCP server and a model of its own. */
export interface Place extends AsyncDisposable {
  attacks: readonly Attack[]
  app: App
  config: Config
  world: World
  jobsDir: string
  reportsDir: string
  /** Texts that may be found nowhere. */
  canaries: readonly string[]
  /** Bodies that reached models that mean harm. */
  modelBodies: readonly string[]
  worker(): MeasuredWorker
  /** Starts another one in the place of one that died. False: it lives. */
  revive(): Promise<boolean>
  jobOf(attack: Attack): string
  serverOf(attack: Attack): ScriptedServer
  /** Queues a run of a job and resolves when it is over. Throws when the worker ends before. */
  run(job: string): Promise<RunView>
}

export interface PlaceOptions {
  postgresUrl: string
  /** Long attacks end sooner. */
  isQuick?: boolean
}

const jobText = (name: string, { model, job = '' }: Pick<Attack, 'model' | 'job'>, callTimeout: string) => `account: reports
model: { provider: ${model ? 'mean' : 'openai'}, name: ${name} }
prompt: Do it.
tools:
  ${name}: { allow: [act], minCalls: 0, timeout: ${callTimeout} }
retry: { attempts: 1 }
limits: { deadline: 2m }
deliver: [{ file: out }]
${job}`

const stepsOf = (tool: string, { call = {}, says = 'done' }: Pick<Attack, 'call' | 'says'>): Step[] => [
  ...(call === false ? [] : [{ kind: 'call' as const, calls: [{ name: tool, arguments: JSON.stringify(call) }] }]),
  { kind: 'say', text: says },
]

export async function openPlace({ postgresUrl, isQuick = false }: PlaceOptions): Promise<Place> {
  await using building = new AsyncDisposableStack()
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-hostile-'))
  building.defer(() => rmSync(dir, { recursive: true, force: true }))
  const jobsDir = join(dir, 'jobs')
  mkdirSync(jobsDir)
  const databaseUrl = await useDatabase(building, postgresUrl)
  const provider = building.use(await startProvider())
  const names = attacksWith({ token: 'a.b.c', modelKey: MODEL_KEY }).map((_, n) => `hostile${n}`)
  const servers = await Promise.all([NEIGHBOUR, ...names].map(async (name) => ({ name, server: await startScriptedServer() })))
  for (const { server } of servers) building.use(server)
  const world = building.use(
    await startWorld({
      dir,
      jobsDir,
      scripts: {},
      routes: servers.map(({ name, server }) => ({
        name,
        from: `https://${name}.${DOMAIN}`,
        to: server.url,
        kind: 'mcp-server',
        policy: { allowUsers: ['svc-reports'] },
      })),
      config: {
        databaseUrl,
        reportsDir: join(dir, 'reports'),
        servers: Object.fromEntries(servers.map(({ name }) => [name, { maxRequestBytes: 1_048_576 }])),
        gateway: { setupTimeout: '20s' },
        providers: { mean: { api: 'chat', baseUrl: provider.url, apiKey: MODEL_KEY } },
        worker: { concurrency: 8 },
        log: { level: 'info' },
      },
    }),
  )

  // The attacks give the token away, so there are none before it is made.
  const canaries = { token: world.account.jwt, modelKey: MODEL_KEY }
  const attacks = attacksWith(canaries)
  const place = (name: string, attack: Omit<Attack, 'name' | 'expected'>) => {
    const server = servers.find((one) => one.name === name)?.server
    Object.assign(server?.on ?? {}, attack.on)
    if (attack.model) provider.models.set(name, attack.model)
    world.model.scripts[name] = stepsOf(`${name}__act`, attack)
    writeFileSync(join(jobsDir, `${name}.yaml`), jobText(name, attack, attack.isLong && isQuick ? '10s' : '2m'))
  }
  place(NEIGHBOUR, {})
  for (const [n, attack] of attacks.entries()) place(names[n] ?? '', attack)
  const config = loadConfig({ file: world.configFile, env: {} })
  createSigningKey(config.evidence.keyFile)
  const app = building.use(await createApp({ config, log: pino({ level: 'silent' }) }))
  if (app.jobs.issues().length > 0) throw new Error(app.jobs.issues().join('\n'))
  const start = () => startWorker(world.configFile, dir)
  let worker = await start()
  building.defer(() => worker[Symbol.asyncDispose]())
  let reviving: Promise<void> | undefined
  const startAnew = async () => {
    // Or the next one would take up what this one died of.
    await query(app.db, "update runs set status = 'failed', finished_at = now() where finished_at is null")
    worker = await start()
  }
  const jobOf = (attack: Attack) => names[attacks.indexOf(attack)] ?? ''
  const stack = building.move()
  return {
    attacks,
    app,
    config,
    world,
    jobsDir,
    reportsDir: join(dir, 'reports'),
    canaries: canaryTexts(canaries),
    modelBodies: provider.bodies,
    worker: () => worker,
    async revive() {
      if (worker.lives()) return false
      reviving ??= startAnew().finally(() => (reviving = undefined))
      await reviving
      return true
    },
    jobOf,
    serverOf(attack) {
      const found = servers.find(({ name }) => name === jobOf(attack))
      if (!found) throw new Error(`there is no server of ${attack.name}`)
      return found.server
    },
    async run(name) {
      const job = app.jobs.jobs().get(name)
      if (!job) throw new Error(`no job ${name}`)
      const id = await createRun(app.db, job, { trigger: { kind: 'cli' } })
      await app.producer.wake([firstWake(id)])
      for (;;) {
        worker.check()
        const found = await loadStatus(app.db, id)
        const run = found && isFinal(found.status) ? await loadRun(app.db, id) : undefined
        if (run) return run
        await sleep(LOOK_MS)
      }
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const modelOf = z.looseObject({ model: z.string() })

/** A provider whose models each answer as they like. */
async function startProvider() {
  const models = new Map<string, Serving>()
  const bodies: string[] = []
  const server = await serveHttp(async (req, res) => {
    const body = await text(req)
    bodies.push(body)
    await models.get(modelOf.parse(JSON.parse(body)).model)?.(req, res)
  })
  return { url: `${server.url}/v1`, models, bodies, [Symbol.asyncDispose]: server.close }
}

async function startWorker(configFile: string, dir: string): Promise<MeasuredWorker> {
  const worker = startMeasuredWorker({ program: BIN, configFile, dir, nodeOptions: [`--max-old-space-size=${HEAP_MB}`] })
  const said = worker.said().length
  while (!worker.said().slice(said).includes('Nightshift is at work.')) {
    worker.check()
    await sleep(LOOK_MS)
  }
  return worker
}
