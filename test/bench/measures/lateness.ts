import { pino } from 'pino'
import { createScheduler } from '../../../src/schedules/scheduler.ts'
import { syncSchedule } from '../../../src/store/schedules/progress.ts'
import { quantile, round, type Bench, type Row } from '../bench.ts'
import { openHouse, plainJob } from '../house.ts'

const SCHEDULES = 1000
const MINUTE_MS = 60_000

/** A thousand schedules that fire in the same minute. */
export const lateness: Bench = {
  name: 'lateness',
  about: 'how long after its time a fire has made its run, with 1,000 schedules in one minute; on Redis and embedded',
  async run({ scale, say }) {
    const rows: Row[] = []
    const count = Math.max(1, Math.round(SCHEDULES * scale))
    const schedule = { cron: '* * * * *', timezone: 'UTC', missed: 'last', overlap: 'skip' }
    const jobs = Object.fromEntries(Array.from({ length: count }, (_, i) => [`job-${i}`, plainJob({ schedule })]))
    for (const queue of ['redis', 'embedded'] as const) {
      await using testApp = await openHouse(queue, jobs)
      if (!testApp) {
        say('No Redis on this machine: set REDIS_URL, or install redis-server.')
        continue
      }
      const { db, producer, jobs: registry } = testApp.app
      // The minute begins now: what is due is due at this instant.
      const due = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS
      for (const job of registry.jobs().keys()) await syncSchedule(db, { job, ...schedule }, new Date(due - MINUTE_MS / 2))
      const shift = Date.now() - due
      const late: number[] = []
      const now = () => new Date(Date.now() - shift)
      const scheduler = createScheduler({
        db,
        producer,
        jobs: () => registry.jobs(),
        log: pino({ level: 'silent' }),
        now,
        onFire: (ms) => late.push(ms),
      })
      await scheduler.round()
      await scheduler.stop()
      if (late.length !== count) throw new Error(`${late.length} of ${count} schedules fired`)
      rows.push({
        queue,
        schedules: count,
        p50Ms: Math.round(quantile(late, 0.5)),
        p99Ms: Math.round(quantile(late, 0.99)),
        lastMs: round(Math.max(...late), 0),
      })
      say(`${queue}: all fired ${Math.max(...late)} ms after their time`)
    }
    return rows
  },
}
