import { createHash, randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { script } from '../../../src/demo/model/script.ts'
import { startWorld } from '../../../src/demo/world.ts'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { startPostgres, startRedis } from '../../chaos/stores.ts'
import { countingJob } from '../../support/app/jobs.ts'
import { startWayTo } from '../../support/app/outage.ts'
import { program } from '../../support/cli/command.ts'
import { openConfigured } from '../../support/configured.ts'
import { startReceiver, type Receiver } from '../../support/delivery/receiver.ts'
import { countingRoute, startCountingServer } from '../../support/mcp/counting-server.ts'
import { freezeAll } from '../../support/net/freeze.ts'
import { freePort } from '../../support/net/listen.ts'
import { startWayProcess } from '../../support/net/way-process.ts'
import { SETTINGS, type Neighbour, type SilenceRow } from './rows.ts'

/** The job of each run, and one whose answer is more than the kernel keeps for a client that does not read. */
export const JOB = 'act'
export const LARGE_JOB = 'large'
const LARGE_BYTES = 8_000_000
const SCRIPT = 'call counting__act {"n": 1}\nwait 200\ncall counting__look {"n": 1}\nsay done'
const seconds = (ms: number) => `${ms / 1000}s`
const REPLICAS = 2
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

/** Something that can fall silent. */
interface Silent {
  begin(): unknown
  end(): void
}

interface Replica {
  pid: number
  /** Of its API. */
  url: string
}

/** Two replicas of all parts over a Postgres and a Redis of their own, with one neighbour that can fall silent. */
export interface Replicas extends AsyncDisposable {
  db: Db
  receiver: Receiver
  /** How often `act` took effect, by run. */
  effects: ReadonlyMap<string, number>
  askFor(job: string): Promise<string>
  /** Of a caller of their API. */
  token: string
  replicas: readonly Replica[]
  /** Those that the silence is for. */
  hit: readonly Replica[]
  silence: Silent
}

/** One of the two ways to fall silent that a path has. */
async function startSilentWay(stack: AsyncDisposableStack, target: string, how: SilenceRow['how']): Promise<Silent & { url: string }> {
  if (how === 'SIGSTOP') {
    const way = stack.use(await startWayProcess(target))
    return { url: way.url, begin: () => way.freeze(), end: () => way.thaw() }
  }
  const way = stack.use(await startWayTo(target))
  return { url: way.url, begin: () => (how === 'drip' ? way.drip() : way.fallSilent()), end: () => way.speak() }
}

const configSchema = z.looseObject({ gateway: z.looseObject({}), providers: z.looseObject({ openai: z.looseObject({}) }) })

/** Without a row nobody falls silent. */
export async function startReplicas(row?: SilenceRow): Promise<Replicas> {
  await using building = new AsyncDisposableStack()
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-silence-'))
  chmodSync(dir, 0o711)
  building.defer(() => rmSync(dir, { recursive: true, force: true }))
  mkdirSync(join(dir, 'jobs'))
  const more = `limits: { deadline: 3m, call: ${seconds(SETTINGS['job limits.call'])} }\ndeliver: [{ webhook: reports }]`
  writeFileSync(join(dir, 'jobs', `${JOB}.yaml`), countingJob({ retry: '{ attempts: 8, backoff: 500ms }', more }))
  writeFileSync(join(dir, 'jobs', `${LARGE_JOB}.yaml`), countingJob({ model: 'large', more: `limits: { outputBytes: ${LARGE_BYTES} }` }))

  const say = () => {}
  const postgres = await startPostgres({ dir, say })
  building.use(postgres.victim)
  const redis = await startRedis({ dir, say })
  building.use(redis.victim)
  const receiver = building.use(await startReceiver())
  const effects = new Map<string, number>()
  const server = building.use(
    await startCountingServer(({ name }, { headers }) => {
      const id = String(headers['x-nightshift-run-id'])
      if (name === 'act') effects.set(id, (effects.get(id) ?? 0) + 1)
      return 'done'
    }),
  )
  // All go one way to what stands behind the gateway.
  const toServer = row?.neighbour === 'mcp server' ? await startSilentWay(building, server.url, row.how) : undefined
  const world = building.use(
    await startWorld({
      dir,
      jobsDir: join(dir, 'jobs'),
      scripts: { scripted: script(SCRIPT), large: script(`say ${'x'.repeat(LARGE_BYTES)}`) },
      routes: [countingRoute(server, toServer && { to: toServer.url })],
      config: {
        databaseUrl: postgres.url,
        redisUrl: redis.url,
        gateway: { setupTimeout: seconds(SETTINGS['config gateway.setupTimeout']) },
        worker: { concurrency: 3, lockTimeout: seconds(SETTINGS['config worker.lockTimeout']), drainTimeout: '2s' },
        webhooks: { reports: { url: receiver.url, secret: SECRET } },
        log: { level: 'info' },
      },
    }),
  )
  const targets: Record<Neighbour, string> = {
    postgres: postgres.url,
    redis: redis.url,
    gateway: `http://${world.gateway.address}`,
    'mcp server': server.url,
    model: world.model.url,
    'receiver of reports': receiver.url,
  }
  const { db, askFor } = await openConfigured(world.configFile, building)

  /** The server itself is frozen where that is the same for all; of Postgres, the sessions of one. */
  function ownSilence({ neighbour, how, whose }: SilenceRow): Silent | undefined {
    if (how !== 'SIGSTOP') return undefined
    let thaw = () => {}
    const end = () => thaw()
    if (neighbour === 'postgres' && whose === 'one')
      return { begin: async () => (thaw = freezeAll(await sessionsOf(db, applicationOf(0)))), end }
    const { victim } = neighbour === 'postgres' ? postgres : neighbour === 'redis' && whose === 'all' ? redis : { victim: undefined }
    return victim && { begin: () => (thaw = victim.freeze()), end }
  }

  const hits = row?.whose === 'one' ? 1 : REPLICAS
  const own = toServer ?? (row && ownSilence(row))
  const ways =
    own || !row ? [] : await Promise.all(Array.from({ length: hits }, () => startSilentWay(building, targets[row.neighbour], row.how)))
  const token = `nsk_${randomUUID()}`
  const written = configSchema.parse(parse(readFileSync(world.configFile, 'utf8')))

  async function startReplica(index: number): Promise<Replica> {
    const urlOf = (one: Neighbour) => new URL((one === row?.neighbour ? ways[index]?.url : undefined) ?? targets[one])
    const databaseUrl = urlOf('postgres')
    databaseUrl.searchParams.set('application_name', applicationOf(index))
    const receiverUrl = urlOf('receiver of reports')
    receiverUrl.searchParams.set('replica', String(index))
    const listen = `127.0.0.1:${await freePort()}`
    const file = join(dir, `replica-${index}.yaml`)
    const config = {
      ...written,
      api: { listen, tokens: { reader: { sha256: createHash('sha256').update(token).digest('hex'), role: 'viewer' } } },
      databaseUrl: databaseUrl.href,
      redisUrl: urlOf('redis').href,
      gateway: { ...written.gateway, address: urlOf('gateway').host },
      providers: {
        openai: {
          ...written.providers.openai,
          baseUrl: urlOf('model').href,
          answerTimeout: seconds(SETTINGS['config providers.<name>.answerTimeout']),
        },
      },
      webhooks: { reports: { url: receiverUrl.href, secret: SECRET } },
    }
    writeFileSync(file, stringify(config), { mode: 0o600 })
    const { child, says, ended } = program(['-c', file, 'start'])
    building.defer(async () => {
      child.kill('SIGKILL')
      await ended
    })
    await says('Nightshift is at work.')
    return { pid: child.pid ?? 0, url: `http://${listen}` }
  }

  const replicas = await Promise.all(Array.from({ length: REPLICAS }, (_, index) => startReplica(index)))
  const stack = building.move()
  return {
    db,
    receiver,
    effects,
    askFor,
    token,
    replicas,
    hit: replicas.slice(0, hits),
    silence: own ?? { begin: () => ways.forEach((way) => way.begin()), end: () => ways.forEach((way) => way.end()) },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const applicationOf = (index: number) => `replica-${index}`

async function sessionsOf(db: Db, application: string): Promise<number[]> {
  const rows = await query<{ pid: number }>(db, 'select pid from pg_stat_activity where application_name = $1', [application])
  return rows.map(({ pid }) => pid)
}
