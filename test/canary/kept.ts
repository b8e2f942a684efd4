import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import pLimit from 'p-limit'
import { z } from 'zod'
import { showRun } from '../../src/cli/commands/runs/show.ts'
import { createSigningKey } from '../../src/audit/evidence/keys.ts'
import { exportRun } from '../../src/audit/evidence/files.ts'
import { listDeliveries } from '../../src/runs/queries.ts'
import { loadContent } from '../../src/store/contents.ts'
import { query, type Db } from '../../src/store/postgres/db.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { bearer } from '../support/app/api.ts'
import { command } from '../support/cli/command.ts'
import { aTerminal } from '../support/cli/terminal.ts'
import { dumpDatabase, dumpRedis } from '../support/database/dump.ts'
import type { Receiver } from '../support/delivery/receiver.ts'
import type { CanaryWorld } from './meet.ts'

/** A text that somebody may read: where it stands, and what it says. */
export type Kept = readonly [where: string, text: string]

const AT_ONCE = 8

const documentSchema = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })

/** What the API answers to each GET that its document has, for each run. */
async function answersOf(url: string, runIds: readonly string[]): Promise<Kept[]> {
  const get = async (path: string): Promise<Kept> => {
    const response = await fetch(`${url}${path}`, { headers: bearer('operator') })
    return [`GET ${path}`, `${JSON.stringify([...response.headers])}\n${await response.text()}`]
  }
  const { paths } = documentSchema.parse(JSON.parse((await get('/openapi.json'))[1].split('\n').slice(1).join('\n')))
  const gets = Object.entries(paths).flatMap(([path, methods]) => ('get' in methods ? [path] : []))
  const asked = gets.flatMap((path) => (path.includes('{id}') ? runIds.map((runId) => path.replace('{id}', runId)) : [path]))
  const limit = pLimit(AT_ONCE)
  const kept = await Promise.all(['/metrics', ...asked].map((path) => limit(() => get(path))))
  for (let page = '/v1/runs?limit=100'; page !== '';) {
    const list = await get(page)
    kept.push(list)
    const cursor = /"(?:next|nextCursor|cursor)":"([^"]+)"/.exec(list[1])?.[1]
    page = cursor === undefined ? '' : `/v1/runs?limit=100&cursor=${encodeURIComponent(cursor)}`
  }
  return kept
}

const filesIn = (dir: string): Kept[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true }).flatMap((one) => {
    const file = join(one.parentPath, one.name)
    return one.isFile() ? [[`file ${one.name}`, `${one.name}\n${readFileSync(file, 'utf8')}`] as const] : []
  })

/** Whole results, which stand compressed in their rows. */
async function keptContents(db: Db): Promise<Kept[]> {
  const all = await query<{ digest: string }>(db, 'select digest from result_contents')
  const read = all.map(async ({ digest }): Promise<Kept> => ['a kept result', (await loadContent(db, digest))?.content.toString() ?? ''])
  const kept = await Promise.all(read)
  if (kept.length === 0) throw new Error('no result was kept, so that nothing is known of them')
  return kept
}

const terminal = aTerminal({ columns: 10_000 })

/** What shows a run, and what asks servers and models for none. */
const COMMANDS = [
  'runs --limit 200',
  'runs --json --limit 200',
  'show RUN',
  'show RUN --json',
  'show RUN --result t1c1',
  'logs RUN',
  'audit report',
  'audit report --json',
  'evidence checkpoint',
  'doctor',
  'doctor --json --spend',
  'jobs pin chat-streamed',
  'eval record RUN',
]

/** All that is kept, shown, told or sent on, wherever it stands. */
export async function everythingKept(world: CanaryWorld, url: string, receiver: Receiver, redisUrl: string | undefined): Promise<Kept[]> {
  const { testApp, asked } = world
  const { db } = testApp.database
  // All are in the store and in the log; what is made of them is looked at for each kind of answer.
  const runIds = world.met.flatMap(({ runId, plan: { where } }) => (where === 'everywhere' || where === 'the id' ? [runId] : []))
  const kept: Kept[] = [
    ...(await dumpDatabase(db)).split('\n').map((row): Kept => ['a row', row]),
    ...(await keptContents(db)),
    ...testApp.log.map((line): Kept => ['a line of the log', line]),
    ...testApp.progress.map((one): Kept => ['progress', JSON.stringify(one)]),
    ...receiver.received.map(({ headers, body }): Kept => ['a report that was sent', JSON.stringify(headers) + body]),
    // A hosted model is handed the token, in its own place.
    ...asked.map((body): Kept => ['what a model was sent', body.replaceAll(/"authorization":"Bearer Pomerium-[\w.-]+"/g, '')]),
    ...filesIn(join(testApp.dir, 'reports')),
    ...(await answersOf(url, runIds)),
  ]
  createSigningKey(join(testApp.dir, 'evidence.key'))
  if (redisUrl !== undefined) kept.push(['Redis', await dumpRedis(redisUrl, basename(testApp.dir))])
  for (const runId of runIds) {
    const run = await loadRun(db, runId)
    if (!run) continue
    kept.push([`show ${runId}`, showRun(run, await listDeliveries(db, runId), terminal)])
    kept.push([`evidence of ${runId}`, (await exportRun(db, run, join(testApp.dir, 'evidence.key'), { contents: true })).text])
  }
  const [latest = ''] = runIds.slice(-1)
  for (const line of COMMANDS) {
    const { out, err } = await command(['-c', testApp.world.configFile, ...line.replace('RUN', latest).split(' ')], { columns: 10_000 })
    kept.push([`nightshift ${line}`, `${out}\n${err}`])
  }
  // Locks and cases.
  return [...kept, ...filesIn(join(testApp.dir, 'jobs'))]
}
