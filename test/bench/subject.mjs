// Nightshift as a subject of the side-by-side drive that the README of bench/ tells of: a worker on Redis and Postgres, everything journaled.
//   node drive.mjs --data DIR --subjects floor,agents,PATH/test/bench/subject.mjs
import { writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { stringify } from 'yaml'
import { loadConfiguredJobs } from '../../src/app/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { openQueueBackend } from '../../src/queue/backend.ts'
import { createProducer } from '../../src/queue/producer.ts'
import { newRun } from '../../src/runs/create.ts'
import { openDb } from '../../src/store/postgres/db.ts'
import { migrate } from '../../src/store/postgres/migrate.ts'
import { build } from '../../scripts/build.ts'

const TOOLS = {
  a: ['search_objects', 'search_people', 'list_departments', 'count_headcount', 'list_changes', 'explain_column'],
  b: ['search_files', 'read_file', 'list_folder', 'read_sheet', 'list_comments', 'list_revisions'],
}

// Answers of the model are not streamed, as with the other subjects.
const config = {
  dataDir: '.',
  jobsDir: 'jobs',
  databaseUrl: '${DATABASE_URL}',
  redisUrl: '${REDIS_URL}',
  gateway: { url: '${GATEWAY_URL}', caFile: '${NODE_EXTRA_CA_CERTS}' },
  accounts: { bench: { tokenFile: 'bench.token' } },
  providers: { openai: { baseUrl: '${OPENAI_BASE_URL}', apiKey: '${OPENAI_API_KEY}', stream: false, store: false } },
  worker: { concurrency: '${CONCURRENCY:-20}' },
}

const job = {
  account: 'bench',
  model: { provider: 'openai', name: 'gpt-5.4-mini' },
  instructions: 'You write reports from tools. Answer with JSON: {summary, rows}.',
  prompt: 'Report the headcount by department, with what changed since last week. Run {{ run_id }}.',
  tools: Object.fromEntries(Object.entries(TOOLS).map(([server, allow]) => [server, { allow }])),
  output: {
    schema: { type: 'object', required: ['summary', 'rows'], properties: { summary: { type: 'string' }, rows: { type: 'array' } } },
  },
}

const command = [process.execPath, join(import.meta.dirname, '../../dist/cli/bin.js'), '-c', '', 'start', '--only', 'worker']
const stack = new AsyncDisposableStack()
let db
let queue
let producer
let known

export default {
  name: 'nightshift',
  command,

  async prepare({ env, dataDir }) {
    build()
    const dir = join(dataDir, 'nightshift')
    await mkdir(join(dir, 'jobs'), { recursive: true })
    const file = join(dir, 'nightshift.yaml')
    command[3] = file
    writeFileSync(file, stringify(config))
    writeFileSync(join(dir, 'jobs', 'headcount.yaml'), stringify(job))
    writeFileSync(join(dir, 'bench.token'), env.GATEWAY_TOKEN, { mode: 0o600 })
    const { jobs, issues } = loadConfiguredJobs(loadConfig({ file, env }))
    if (issues.length > 0) throw new Error(issues.join('\n'))
    known = jobs.get('headcount')
    db = openDb({ url: env.DATABASE_URL, max: 2 })
    stack.defer(() => db.end())
    await migrate(db)
    const backend = stack.adopt(await openQueueBackend({ redisUrl: env.REDIS_URL, databaseUrl: env.DATABASE_URL }), (opened) =>
      opened.close(),
    )
    queue = stack.adopt(await backend.queue(), (opened) => opened.close())
    producer = createProducer(queue, pino({ level: 'silent' }))
  },

  /** The rows first, in one statement; then the queue. */
  async enqueue({ ids }) {
    const runs = ids.map(() => newRun(known, { trigger: { kind: 'cli' } }))
    const { name, version, definition } = known
    await db.query({
      name: 'enqueue',
      text: `with version as (insert into job_versions (job, version, definition) values ($2, $3, $4) on conflict do nothing)
             insert into runs (id, job, job_version, status, account, trigger, input) select id, $2, $3, 'queued', $5, $6, '{}' from unnest($1::text[]) as id`,
      values: [runs.map(({ id }) => id), name, version, JSON.stringify(definition), definition.account, '{"kind":"cli"}'],
    })
    await producer.wake(runs.map(({ id }) => ({ id })))
  },

  done: "select count(*)::int as n from runs where status = 'succeeded'",
  reset: 'truncate runs cascade',
  empty: () => queue.obliterate({ force: true }),
  close: () => stack.disposeAsync(),
}
