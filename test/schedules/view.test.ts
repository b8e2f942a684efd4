import { expect, test } from 'vitest'
import { createJob, type Job } from '../../src/jobs/job.ts'
import { jobSchema } from '../../src/jobs/schema.ts'
import { viewSchedules } from '../../src/schedules/view.ts'
import { createTestDatabase } from '../support/database/database.ts'

const job = (name: string, cron: string): Job =>
  createJob({
    name,
    file: `${name}.yaml`,
    definition: jobSchema.parse({
      account: 'reports',
      model: { provider: 'openai', name: 'scripted' },
      prompt: 'x',
      tools: { labor: { allow: ['describe_tables'] } },
      schedule: { cron, timezone: 'Europe/Paris' },
    }),
  })
const byName = (...jobs: Job[]) => new Map(jobs.map((one) => [one.name, one]))

test('a list of many schedules leaves the process to others while it is made', async () => {
  await using database = await createTestDatabase()
  const jobs = byName(...Array.from({ length: 61 }, (_, n) => job(`job-${n}`, `${n % 60} 3 * * *`)))
  let turns = 0
  const count = () => {
    turns++
    turn = setImmediate(count)
  }
  let turn: NodeJS.Immediate
  // Counted from the moment at which the store has answered.
  database.db.on('release', () => {
    clearImmediate(turn)
    turns = 0
    turn = setImmediate(count)
  })
  const views = await viewSchedules(database.db, jobs, new Date())
  clearImmediate(turn!)
  expect(views).toHaveLength(61)
  expect(turns).toBeGreaterThanOrEqual(3)
})

test('the next fires are right at any moment, also when a list was made before', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const jobs = byName(job('hourly', '0 * * * *'))
  const nextAt = async (hour: string) =>
    (await viewSchedules(db, jobs, new Date(`2026-03-01T${hour}Z`)))[0]?.next.map((at) => at.slice(11, 16))
  expect(await nextAt('10:30')).toEqual(['11:00', '12:00', '13:00', '14:00', '15:00'])
  expect(await nextAt('10:59')).toEqual(['11:00', '12:00', '13:00', '14:00', '15:00'])
  expect(await nextAt('11:00')).toEqual(['12:00', '13:00', '14:00', '15:00', '16:00'])
  expect(await nextAt('08:15')).toEqual(['09:00', '10:00', '11:00', '12:00', '13:00'])
})
