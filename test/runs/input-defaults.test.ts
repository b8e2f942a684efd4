import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { batchResultSchema } from '../../src/api/schemas/batch.ts'
import { createJob } from '../../src/jobs/job.ts'
import { jobSchema } from '../../src/jobs/schema.ts'
import { filledInput, inputFault, newRun } from '../../src/runs/create.ts'
import { retryByFilter } from '../../src/runs/retry.ts'
import { backfill } from '../../src/schedules/backfill.ts'
import { query } from '../../src/store/postgres/db.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { someone } from '../support/actor.ts'
import { openApi } from '../support/app/api.ts'
import { command } from '../support/cli/command.ts'

const job = (days: number) => `
account: reports
model: { provider: openai, name: scripted }
prompt: Look at the last {{ input.days }} days.
tools:
  labor: { allow: [describe_tables], repeatable: [describe_tables], minCalls: 0 }
schedule: { cron: "0 7 * * *", timezone: UTC }
input:
  type: object
  required: [days]
  properties: { days: { type: integer, default: ${days} }, region: { type: string } }
  additionalProperties: false
retry: { attempts: 1 }
`
const promptsOf = z.array(z.object({ prompt: z.string() }))

test('a run is asked for in whichever way with what the schema has a default for, tells the model of it and keeps it; a retry goes on with that', async () => {
  await using api = await openApi({ jobs: { act: job(7) }, scripts: { scripted: 'always fail 400' } })
  const { testApp } = api
  const { app, database } = testApp
  const asked = await api.create('act', {})
  const { results } = batchResultSchema.parse(
    (await api.ask('POST', '/v1/runs:batch', { who: 'operator', body: { runs: [{ job: 'act' }, { job: 'act', input: { days: 2 } }] } }))
      .body,
  )
  const [act] = app.jobs.jobs().values()
  const [made] = await backfill(app, act ?? expect.unreachable(), [new Date('2026-03-01T07:00:00Z')], 'someone')
  const queued = await testApp.queue('act')
  const byCommand = await command(['-c', testApp.world.configFile, 'run', 'act'])
  const told = /run_[\w-]+/.exec(byCommand.out)?.[0]
  const ids = [asked, results[0]?.run?.id, results[1]?.run?.id, made, queued, told]
  const inputs = []
  for (const id of ids) inputs.push((await loadRun(database.db, id ?? 'none'))?.input)
  expect(inputs).toEqual([7, 7, 2, 7, 7, 7].map((days) => ({ days })))

  await app.worker.start()
  expect(await testApp.finished(asked)).toMatchObject({ status: 'failed', input: { days: 7 } })
  await app.worker.stop()
  writeFileSync(join(testApp.dir, 'jobs', 'act.yaml'), job(30))
  app.jobs.reload()
  const parts = { db: app.db, producer: app.producer, jobs: app.jobs.jobs() }
  expect(await retryByFilter(parts, { ids: [asked] }, 'latest', someone())).toBe(1)
  await app.runner.execute(asked, 'again', new AbortController().signal)
  expect(await loadRun(app.db, asked)).toMatchObject({ status: 'failed', input: { days: 7 } })
  const prompts = await query(app.db, 'select prompt from attempts where run_id = $1 and prompt is not null order by number', [asked])
  expect(promptsOf.parse(prompts).map(({ prompt }) => prompt)).toEqual(
    [7, 7].map((days) => expect.stringContaining(`the last ${days} days`)),
  )
})

test('an idempotency key stands for the request as it was sent, whatever the default is by then', async () => {
  await using api = await openApi({ jobs: { act: job(7) }, scripts: {} })
  const { testApp } = api
  const ask = (input: object) =>
    api.ask('POST', '/v1/jobs/act/runs', { who: 'operator', body: { input }, headers: { 'idempotency-key': 'one' } })
  const first = await ask({})
  writeFileSync(join(testApp.dir, 'jobs', 'act.yaml'), job(30))
  testApp.app.jobs.reload()
  const again = await ask({})
  expect([first.status, again.body]).toMatchObject([202, { id: z.object({ id: z.string() }).parse(first.body).id }])
  expect(await ask({ days: 7 })).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_MISMATCH' } })
})

const jobWith = (input: object) =>
  createJob({
    name: 'act',
    file: 'act.yaml',
    definition: jobSchema.parse({
      account: 'reports',
      model: { provider: 'openai', name: 'm' },
      prompt: 'Go.',
      tools: { labor: { allow: ['query'] } },
      input,
    }),
  })

test('what is given stays, what a mapping that is there leaves out is filled in, and what was asked is not written into', () => {
  const properties = {
    a: { default: 1 },
    in: { properties: { b: { default: [2] } } },
    list: { items: { properties: { c: { default: 3 } } } },
  }
  const work = jobWith({ type: 'object', properties })
  const given = { in: {}, list: [{}, { c: null }] }
  const asked = structuredClone(given)
  const { input } = newRun(work, { trigger: { kind: 'cli' }, input: given })
  expect(input).toEqual({ a: 1, in: { b: [2] }, list: [{ c: 3 }, { c: null }] })
  expect(given).toEqual(asked)
  expect(filledInput(work.definition, { a: null })).toEqual({ a: null })
  expect(filledInput(jobWith({ type: 'object' }).definition, given)).toBe(given)
})

test('a default counts for nothing where it would decide which choice is meant, and an input that is none is refused as before', () => {
  const choice = jobWith({ type: 'object', anyOf: [{ properties: { a: { default: 1 } } }, { required: ['b'] }] })
  expect(filledInput(choice.definition, {})).toEqual({})
  const work = jobWith({ type: 'object', required: ['a', 'b'], properties: { a: { default: 1 } } })
  expect(() => newRun(work, { trigger: { kind: 'cli' } })).toThrow("must have required property 'b'")
  expect(() => newRun(work, { trigger: { kind: 'cli' }, input: 'text' })).toThrow('must be object')
  // What is kept is held to the schema as it is: a retry gets nothing that the run did not have.
  expect(inputFault(work.definition, { b: 1 })).toContain("must have required property 'a'")
})
