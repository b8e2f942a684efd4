import { expect, test } from 'vitest'
import { z } from 'zod'
import { WORK, WORK_SCRIPT } from '../../../support/app/jobs.ts'
import { buildTestApp } from '../../../support/app/test-app.ts'
import { command, program } from '../../../support/cli/command.ts'

const statusSchema = z.object({
  workers: z.object({ atWork: z.int() }),
  whole: z.object({
    processes: z.array(z.object({ name: z.string(), role: z.string(), alive: z.boolean() })),
    stands: z.array(z.object({ check: z.string(), message: z.string() })),
  }),
})

test('status says of a worker that is frozen that it is silent and since when, and of one that goes on that it is at work', async () => {
  await using testApp = await buildTestApp({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT }, config: { log: { level: 'info' } } })
  const { app, world } = testApp
  const status = async () => {
    const { code, out } = await command(['-c', world.configFile, 'status', '--json'])
    const { workers, whole } = statusSchema.parse(JSON.parse(out))
    return { code, atWork: workers.atWork, worker: whole.processes.find(({ role }) => role === 'worker'), stands: whole.stands }
  }
  await app.scheduler.start()
  const presence = app.createPresence('scheduler')
  await presence.start()
  await using stack = new AsyncDisposableStack()
  stack.defer(() => presence.stop())
  const frozen = program(['-c', world.configFile, 'start', '--only', 'worker'])
  stack.defer(() => void frozen.child.kill('SIGKILL'))
  await expect.poll(status).toMatchObject({ code: 0, atWork: 1, worker: { alive: true }, stands: [] })
  const { worker } = await status()

  frozen.child.kill('SIGSTOP')
  const said = new RegExp(`^No worker is at work: ${worker?.name} was last heard of \\d+ s ago\\.$`)
  await expect.poll(status).toMatchObject({
    code: 1,
    atWork: 0,
    worker: { name: worker?.name, alive: false },
    stands: [{ check: 'processes', message: expect.stringMatching(said) }],
  })
  const { out } = await command(['-c', world.configFile, 'status'])
  expect(out).toMatch(/\bsilent\b/)

  frozen.child.kill('SIGCONT')
  await expect.poll(status).toMatchObject({ code: 0, atWork: 1, worker: { name: worker?.name, alive: true }, stands: [] })
  frozen.child.kill('SIGTERM')
  expect((await frozen.ended).code).toBe(0)
  expect(await status()).toMatchObject({ code: 1, worker: undefined, stands: [{ check: 'processes', message: 'No worker is at work.' }] })
})
