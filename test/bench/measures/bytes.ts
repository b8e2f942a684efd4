import { pino } from 'pino'
import { createApp } from '../../../src/app/app.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { script } from '../../../src/demo/model/script.ts'
import { startWorld } from '../../../src/demo/world.ts'
import { createRun } from '../../../src/runs/create.ts'
import { requireRun } from '../../../src/runs/lookup.ts'
import type { Bench, Row } from '../bench.ts'
import { makePlace } from '../place.ts'

/** Four turns and six calls on two servers, an answer by a schema, and half of the turns left. */
const TURNS = [
  'call labor__describe_tables {} & everything__echo {"message": "one"}',
  'call labor__query {"sql": "select count(*) as rows from unemployment"} & everything__get-sum {"a": 1, "b": 2}',
  'call labor__query {"sql": "select max(year) as latest from unemployment"} & everything__echo {"message": "two"}',
  'say {"summary": "The rates fell in most industries.", "rows": 1708}',
]

const job = (delegate: 'local' | 'hosted') => ({
  account: 'reports',
  delegate,
  model: { provider: 'openai', name: 'scripted' },
  instructions: 'You write reports from tools.',
  prompt: 'Report what has changed.',
  tools: { labor: { allow: ['describe_tables', 'query'] }, everything: { allow: ['get-sum', 'echo'] } },
  output: {
    schema: {
      type: 'object',
      required: ['summary', 'rows'],
      additionalProperties: false,
      properties: { summary: { type: 'string' }, rows: { type: 'integer' } },
    },
  },
})

/** What a run sends to its model, in bytes of request bodies. Nothing of it is timed. */
export const bytes: Bench = {
  name: 'bytes',
  about: 'requests and bytes that a run sends to its model: local over both APIs, and hosted',
  async run() {
    return [await measure('local', 'responses'), await measure('local', 'chat'), await measure('hosted', 'responses')]
  },
}

async function measure(delegate: 'local' | 'hosted', api: 'responses' | 'chat'): Promise<Row> {
  await using stack = new AsyncDisposableStack()
  const place = await makePlace('embedded', { report: job(delegate) }, stack)
  if (!place) throw new Error('there is no place for it')
  const { dir, jobsDir } = place
  const world = stack.use(await startWorld({ dir, jobsDir, api, scripts: { scripted: script(TURNS.join('\n')) } }))
  const config = loadConfig({ file: world.configFile, env: {} })
  const app = stack.use(await createApp({ config, log: pino({ level: 'silent' }), ephemeral: true }))
  const report = app.jobs.jobs().get('report')
  if (!report) throw new Error('no job report')
  const id = await createRun(app.db, report, { trigger: { kind: 'cli' } })
  await app.runner.execute(id, id, new AbortController().signal)
  const { status } = await requireRun(app.db, id)
  if (status !== 'succeeded') throw new Error(`the run is ${status}`)
  const sizes = world.model.requests.map((body) => Buffer.byteLength(JSON.stringify(body)))
  return {
    delegate,
    api,
    requests: sizes.length,
    first: sizes[0] ?? 0,
    last: sizes.at(-1) ?? 0,
    bytes: sizes.reduce((sum, one) => sum + one, 0),
  }
}
