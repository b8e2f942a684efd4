import { expect, test } from 'vitest'
import { z } from 'zod'
import { nextFire } from '../../../src/lib/time/cron.ts'
import { buildTestApp, type TestApp } from '../../support/app/test-app.ts'
import { countingRoute, startCountingServer } from '../../support/mcp/counting-server.ts'

const job = (prompt: string, more = '') => `
account: reports
model: { provider: openai, name: scripted }
prompt: '${prompt}'
tools:
  counting: { allow: [look], repeatable: [look] }
retry: { attempts: 3, backoff: 1ms }
${more}`

const bodySchema = z.looseObject({ input: z.array(z.looseObject({ role: z.string().optional(), content: z.unknown().optional() })) })

/** What the job said in each request to the model. */
const promptsOf = ({ world }: TestApp) =>
  world.model.requests.map((body) =>
    z
      .string()
      .parse(bodySchema.parse(body).input.find(({ role }) => role === 'user')?.content)
      .trim(),
  )

test('a run that is tried again tells the model what its first attempt told it, to the byte', async () => {
  await using server = await startCountingServer()
  await using testApp = await buildTestApp({
    routes: [countingRoute(server)],
    jobs: { act: job('It is {{ now | date: "%F %T.%L" }}, {{ trigger }} in {{ timezone }}.', 'timezone: Asia/Tokyo') },
    scripts: { scripted: 'call counting__look {"n": 1}\nfail 500\nfail 500\nfail 500\nsay done' },
  })
  const run = await testApp.run('act')
  expect(run).toMatchObject({ status: 'succeeded', attempts: [{ status: 'failed' }, { status: 'succeeded' }] })
  const prompts = promptsOf(testApp)
  expect(prompts.length).toBeGreaterThan(2)
  expect(new Set(prompts).size).toBe(1)
  expect(prompts[0]).toMatch(/It is \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}, manual in Asia\/Tokyo\.$/)
})

test('a period since the latest green run begins at its time; without one, at the fire before', async () => {
  await using server = await startCountingServer()
  const schedule = { cron: '0 7 1 * *', timezone: 'Europe/Zurich' }
  await using testApp = await buildTestApp({
    routes: [countingRoute(server)],
    jobs: {
      act: job(
        'From {{ period.from | date: "%s" }} to {{ period.to | date: "%s" }}.',
        `schedule: ${JSON.stringify({ ...schedule, period: 'since-last-green' })}`,
      ),
    },
    scripts: { scripted: 'call counting__look {"n": 1}\nsay done' },
  })
  await testApp.run('act')
  await testApp.run('act')
  const [first, , second] = promptsOf(testApp).map((prompt) => /From (\d+) to (\d+)\.$/.exec(prompt)?.slice(1).map(Number) ?? [])
  const [from = 0, to = 0] = first ?? []
  expect(from).toBeLessThan(to)
  // The fire before is the last one before `to`: after it comes none until then.
  expect(nextFire(schedule, new Date(from * 1000))?.getTime()).toBeGreaterThanOrEqual(to * 1000)
  expect(second?.[0]).toBe(to)
})
