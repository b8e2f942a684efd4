import { createWriteStream, statSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { createApp } from '../../../src/app/app.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { script } from '../../../src/demo/model/script.ts'
import { startWorld } from '../../../src/demo/world.ts'
import { createRun } from '../../../src/runs/create.ts'
import { requireRun } from '../../../src/runs/lookup.ts'
import { dumpStore } from '../../../src/store/postgres/backup/dump.ts'
import { loadStore } from '../../../src/store/postgres/backup/load.ts'
import { withBackup } from '../../../src/store/postgres/backup/open.ts'
import { openDb, query, type Db } from '../../../src/store/postgres/db.ts'
import { startEmbeddedPostgres } from '../../../src/store/postgres/embedded/server.ts'
import { migrate } from '../../../src/store/postgres/migrate.ts'
import { prune } from '../../../src/store/retention.ts'
import { round, type Bench, type Row } from '../bench.ts'
import { makePlace } from '../place.ts'

const RUNS = 1000
const AT_ONCE = 8
const FILL_MS = 1_800_000
const STATUSES = ['succeeded', 'incomplete', 'failed', 'cancelled']

/** Four turns and six calls, each of whose three large results is of so many rows of the table. */
const turns = (rows: number) => `call labor__describe_tables {} & labor__query {"sql": "select * from unemployment limit ${rows}"}
call labor__query {"sql": "select * from unemployment limit ${rows} offset 1"} & labor__query {"sql": "select count(*) as rows from unemployment"}
call labor__query {"sql": "select * from unemployment limit ${rows} offset 2"} & labor__query {"sql": "select max(year) as latest from unemployment"}
say {"summary": "The rates fell in most industries."}`

const JOB = {
  account: 'reports',
  model: { provider: 'openai', name: 'scripted' },
  instructions: 'You write reports from tools.',
  prompt: 'Report what has changed.',
  tools: { labor: { allow: ['describe_tables', 'query'] } },
  output: { schema: { type: 'object', required: ['summary'], properties: { summary: { type: 'string' } } } },
}

/** What runs take of the disk, before and after retention, and in a backup. */
export const disk: Bench = {
  name: 'disk',
  about: 'what a thousand runs take of the disk: whole, without their content, when they are gone; and their backup',
  async run({ scale, say }) {
    const runs = Math.round(RUNS * scale)
    const rows: Row[] = []
    for (const results of [1, 200]) {
      rows.push(await measure(runs, results))
      say(JSON.stringify(rows.at(-1)))
    }
    return rows
  },
}

async function measure(runs: number, results: number): Promise<Row> {
  await using stack = new AsyncDisposableStack()
  const place = await makePlace('embedded', { report: JOB }, stack)
  if (!place) throw new Error('there is no place for it')
  const { dir, jobsDir } = place
  const world = stack.use(await startWorld({ dir, jobsDir, scripts: { scripted: script(turns(results)) } }))
  const config = loadConfig({ file: world.configFile, env: {} })
  const app = stack.use(await createApp({ config, log: pino({ level: 'silent' }), ephemeral: true }))
  const report = app.jobs.jobs().get('report')
  if (!report) throw new Error('no job report')
  const url = app.db.options.connectionString ?? ''
  const db = openDb({ url, max: 1, timeouts: { statementMs: FILL_MS } })
  stack.defer(() => db.end())
  const empty = await sizeOf(db)

  let left = runs
  const work = async () => {
    while (left-- > 0) {
      const id = await createRun(app.db, report, { trigger: { kind: 'cli' } })
      await app.runner.execute(id, id, new AbortController().signal)
      const { status, reasons } = await requireRun(app.db, id)
      if (status !== 'succeeded') throw new Error(`the run is ${status}: ${JSON.stringify(reasons)}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  const whole = (await sizeOf(db)) - empty
  const backup = await backUp(url, dir)
  const ages = Object.fromEntries(STATUSES.map((status) => [status, 0]))
  await prune(db, { content: ages, metadata: {} })
  const withoutContent = (await sizeOf(db)) - empty
  await prune(db, { content: ages, metadata: ages })
  const gone = (await sizeOf(db)) - empty
  return { runs, rowsOfResults: results, wholeMb: mb(whole), withoutContentMb: mb(withoutContent), goneMb: mb(gone), ...backup }
}

const mb = (bytes: number) => round(bytes / 1e6, 1)

/** Of the rows and indexes alone: what was freed is given back first. */
async function sizeOf(db: Db): Promise<number> {
  await query(db, 'vacuum full')
  const [row] = await query<{ bytes: number }>(db, 'select pg_database_size(current_database())::float8 as bytes')
  return row?.bytes ?? Number.NaN
}

/** Writes a backup, puts it into another store, and says how large it is and how long each took. */
async function backUp(url: string, dir: string): Promise<Row> {
  const { signal } = new AbortController()
  const file = join(dir, 'backup.zst')
  const began = performance.now()
  await dumpStore({ url, program: 'bench', sink: createWriteStream(file), signal })
  const written = performance.now()
  const other = await startEmbeddedPostgres({ dir: join(dir, 'other'), ephemeral: true })
  try {
    const db = openDb({ url: other.url, max: 1 })
    await migrate(db)
    await db.end()
    const opened = performance.now()
    await withBackup(file, signal, (backup) => loadStore({ url: other.url, backup, pause: { reason: 'bench', by: 'bench' } }))
    const seconds = (ms: number) => round(ms / 1000, 2)
    return { backupMb: mb(statSync(file).size), backupS: seconds(written - began), restoreS: seconds(performance.now() - opened) }
  } finally {
    await other.stop()
  }
}
