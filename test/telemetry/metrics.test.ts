import { expect, test } from 'vitest'
import { createMetrics, type MetricsOptions } from '../../src/telemetry/metrics.ts'
import { query } from '../../src/store/postgres/db.ts'
import { hold } from '../../src/store/runs/holds.ts'
import { pauseJob } from '../../src/store/schedules/pauses.ts'
import { countOpen } from '../../src/store/status.ts'
import { someone } from '../support/actor.ts'
import { callRecord, opened, turnRecord, writeRun } from '../support/database/attempts.ts'
import { createTestDatabase } from '../support/database/database.ts'
import { openApi, type Api } from '../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'

interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$/

/** Reads the text format; throws on a line that is not in it. */
function parse(text: string): { samples: Sample[]; types: Map<string, string> } {
  const types = new Map<string, string>()
  const samples: Sample[] = []
  expect(text.endsWith('\n')).toBe(true)
  for (const line of text.split('\n')) {
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$/.exec(line)
    if (type) {
      expect(types.has(type[1] ?? ''), line).toBe(false)
      types.set(type[1] ?? '', type[2] ?? '')
      continue
    }
    if (line === '' || line.startsWith('# HELP ')) continue
    const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? []
    expect(name, line).not.toBe('')
    expect(types.has(name) || types.has(name.replace(/_(bucket|sum|count)$/, '')), line).toBe(true)
    const number = value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value)
    if (value !== 'Nan') expect(number, line).not.toBeNaN()
    const pairs = [...labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text_ = '']) => [key, text_])
    samples.push({ name, labels: Object.fromEntries(pairs), value: number })
  }
  return { samples, types }
}

/** Of a process that does nothing. */
const NOTHING: Omit<MetricsOptions, 'db'> = {
  tokenSeconds: () => [],
  named: () => undefined,
  jobFaults: () => 0,
  tagNames: () => [],
  duties: () => [],
  skewMs: () => undefined,
  config: () => ({ file: undefined, digest: '', waiting: [], fault: undefined }),
}

const read = async (api: Api) => parse((await api.ask('GET', '/metrics', { who: 'nobody' })).text)

test('metrics tell what happened, by names alone', async () => {
  const fails = WORK.replace('name: scripted', 'name: fails')
  await using api = await openApi({
    jobs: { work: WORK, fails },
    scripts: { scripted: WORK_SCRIPT, fails: 'always fail 401 invalid_api_key' },
  })
  const queued = await api.create('work', { startAt: new Date(Date.now() + 600_000).toISOString() })
  await api.testApp.app.worker.start()
  const ids = [await api.create('work', { input: { n: 1 } }), await api.create('fails'), queued]
  await Promise.all(ids.slice(0, 2).map((id) => api.over(id)))
  const { samples, types } = await read(api)
  const valueOf = (name: string, labels: Record<string, string> = {}) =>
    samples.find((one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value))?.value
  expect(valueOf('nightshift_runs_total', { job: 'work', outcome: 'succeeded' })).toBe(1)
  expect(valueOf('nightshift_runs_total', { job: 'fails', outcome: 'failed' })).toBe(1)
  expect(valueOf('nightshift_attempts_total', { job: 'fails' })).toBe(1)
  expect(valueOf('nightshift_tool_calls_total', { server: 'labor', outcome: 'ok' })).toBe(1)
  expect(valueOf('nightshift_model_turn_seconds_count', { model: 'scripted' })).toBe(2)
  expect(valueOf('nightshift_open_runs', { status: 'later' })).toBe(1)
  expect(valueOf('nightshift_job_file_faults')).toBe(0)
  expect(valueOf('nightshift_gateway_request_seconds_count', { status: '200' })).toBeGreaterThan(1)
  for (const name of ['input', 'cached', 'output'])
    expect(valueOf('nightshift_model_tokens_total', { job: 'work', kind: name })).toBeGreaterThanOrEqual(0)
  expect([...types.keys()].filter((name) => name.startsWith('nightshift_')).toSorted()).toMatchInlineSnapshot(`
    [
      "nightshift_attempts_total",
      "nightshift_audit_alarms_unsent",
      "nightshift_audit_lineless_requests",
      "nightshift_audit_unexplained_lines",
      "nightshift_bad_rows",
      "nightshift_checkpoint_number",
      "nightshift_clock_skew_seconds",
      "nightshift_config_fault",
      "nightshift_config_info",
      "nightshift_config_keys_waiting",
      "nightshift_duty_failures_total",
      "nightshift_duty_last_success_timestamp_seconds",
      "nightshift_fire_lateness_seconds",
      "nightshift_gateway_request_seconds",
      "nightshift_job_file_faults",
      "nightshift_model_cost_usd_total",
      "nightshift_model_tokens_total",
      "nightshift_model_turn_seconds",
      "nightshift_model_usage_unknown_total",
      "nightshift_open_runs",
      "nightshift_open_runs_oldest_seconds",
      "nightshift_runs_total",
      "nightshift_tagged_cost_usd_total",
      "nightshift_tagged_runs_total",
      "nightshift_token_expires_seconds",
      "nightshift_tool_calls_total",
    ]
  `)

  const texts = samples.flatMap(({ labels }) => Object.values(labels))
  for (const text of texts) expect(text).not.toMatch(/run_|[0-9a-f]{8}-[0-9a-f]{4}|sha256|token:|\s/)
  // A second look makes no new series.
  expect((await read(api)).samples.filter(({ name }) => name.startsWith('nightshift_')).length).toBe(
    samples.filter(({ name }) => name.startsWith('nightshift_')).length,
  )
})

test('no label takes the words of a provider or of a model', async () => {
  await using database = await createTestDatabase()
  const { onProgress, render } = createMetrics({
    ...NOTHING,
    db: database.db,
    named: (job) => (job === 'work' ? { model: 'small', servers: ['labor'] } : undefined),
  })
  const end = { id: 'c', status: 'ok', result: null, failure: null, durationMs: 1 } as const
  for (const [n, server] of ['labor', '', 'words of theirs 1', 'words of theirs 2'].entries())
    onProgress({ event: 'call', runId: 'run_1', job: 'work', call: callRecord({ id: `c${n}`, server }), end })
  for (const model of ['small-2026-01-01', 'words of theirs'])
    onProgress({ event: 'turn', runId: 'run_1', job: 'work', turn: turnRecord(1, { model }) })
  onProgress({ event: 'turn', runId: 'run_2', job: 'gone', turn: turnRecord(1, { model: 'words of theirs' }) })
  const { text } = await render()
  const { samples } = parse(text)
  const labels = (name: string, label: string) => samples.filter((one) => one.name === name).map((one) => [one.labels[label], one.value])
  expect(labels('nightshift_tool_calls_total', 'server')).toEqual([
    ['labor', 1],
    ['none', 1],
    ['other', 2],
  ])
  expect(labels('nightshift_model_turn_seconds_count', 'model')).toEqual([
    ['small', 2],
    ['other', 1],
  ])
  expect(text).not.toContain('theirs')
})

test('runs that are not over are counted where status counts them, with the same age', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await writeRun(db)
  const running = await writeRun(db)
  await opened(db, running)
  await query(db, "update attempts set started_at = now() - interval '3 minutes' where run_id = $1", [running])
  await query(db, "update runs set started_at = now() - interval '1 day', created_at = now() - interval '1 day' where id = $1", [running])
  for (const by of ['job work', 'account reports']) await hold(db, await writeRun(db), { by, obstacle: null })
  await pauseJob(db, 'closed', someone({ reason: 'a move' }))
  await writeRun(db, { job: 'closed' })
  const { render } = createMetrics({ ...NOTHING, db })
  const { samples } = parse((await render()).text)
  const byState = (name: string) =>
    Object.fromEntries(samples.flatMap((one) => (one.name === name ? [[one.labels['status'], one.value]] : [])))
  expect(byState('nightshift_open_runs')).toEqual({ due: 1, running: 1, held: 2, paused: 1 })
  const age = byState('nightshift_open_runs_oldest_seconds')['running']
  expect(age).toBeGreaterThanOrEqual(180)
  expect(age).toBeLessThan(86_400)
  const told = (await countOpen(db, undefined)).find(({ state }) => state === 'running')
  expect(told?.oldestS).toBeGreaterThanOrEqual(age)
  expect(told?.oldestS).toBeLessThan(86_400)
})

test('what nobody says of usage is counted as such: tokens by an estimate, and no cost', async () => {
  await using database = await createTestDatabase()
  const { onProgress, render } = createMetrics({
    ...NOTHING,
    db: database.db,
  })
  const usage = { inputTokens: 100, cachedTokens: 0, outputTokens: 7, reasoningTokens: 0 }
  const about = { runId: 'run_1', job: 'work' }
  onProgress({ event: 'turn', ...about, turn: turnRecord(1, { usage, costUsd: 0.5 }) })
  onProgress({ event: 'turn', ...about, turn: turnRecord(2, { usage: { ...usage, estimated: true }, costUsd: null }) })
  onProgress({ event: 'unseen', ...about, answer: { turn: 3, usage: { ...usage, estimated: true } } })
  const { samples } = parse((await render()).text)
  const values = (name: string) => samples.filter((one) => one.name === name).map(({ value }) => value)
  expect(values('nightshift_model_usage_unknown_total')).toEqual([2])
  expect(values('nightshift_model_tokens_total')).toEqual([300, 0, 21])
  expect(values('nightshift_model_cost_usd_total')).toEqual([0.5])
})
