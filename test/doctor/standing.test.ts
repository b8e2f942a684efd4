import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkStanding } from '../../src/doctor/standing.ts'
import { createJob } from '../../src/jobs/job.ts'
import { jobSchema } from '../../src/jobs/schema.ts'
import { raiseSuspect } from '../../src/store/audit/suspects.ts'
import { query } from '../../src/store/postgres/db.ts'
import { hold } from '../../src/store/runs/holds.ts'
import { suspendRun } from '../../src/store/runs/suspend.ts'
import { syncSchedule } from '../../src/store/schedules/progress.ts'
import { endCancelled, fallSilent, opened, waitingForShop, writeRun } from '../support/database/attempts.ts'
import { createTestDatabase, type TestDatabase } from '../support/database/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

const schedule = { cron: '0 7 * * *', timezone: 'UTC' }
const definition = jobSchema.parse({
  account: 'reports',
  model: { provider: 'openai', name: 'm' }, prompt: 'Go', tools: { labor: { allow: ['query'] } }, schedule,
}) // prettier-ignore
const jobs = [createJob({ name: 'daily', file: 'daily.yaml', definition })]
const look = () => checkStanding({ db: database.db, jobs, accounts: new Set(['reports']) })

const DAYS = 3
const age = (what: string, ids: string) => query(database.db, `update ${what} - make_interval(days => ${DAYS}) where ${ids}`)

interface Standing {
  what: string
  make: () => Promise<unknown>
  /** The same, once it is as it should be. */
  mend: () => Promise<unknown>
  finding: { check: string; message: RegExp; cure: RegExp }
}

const created = async (): Promise<string> => {
  const id = await writeRun(database.db)
  await age('runs set created_at = created_at', `id = '${id}'`)
  return id
}
const removeRuns = () => query(database.db, 'delete from runs')
const waitingFor = async (waitsFor: string) => {
  const id = await created()
  await suspendRun(database.db, await opened(database.db, id), waitingForShop)
  await query(database.db, 'update runs set waits_for = $2 where id = $1', [id, waitsFor])
  await age('attempts set finished_at = finished_at', `run_id = '${id}'`)
}
const reported = async (set: string) => {
  const id = await created()
  await endCancelled(database.db, id)
  await query(
    database.db,
    `insert into deliveries (id, run_id, attempt, target, created_at) values ($1, $2, 1, '{"kind": "webhook", "name": "team"}', now() - interval '3 hours')`,
    [randomUUID(), id],
  )
  await query(database.db, `update deliveries set ${set}`)
}

const ALARM = {
  specversion: '1.0',
  id: 'a',
  source: '/',
  type: 't',
  subject: 's',
  time: '',
  datacontenttype: 'application/json',
  data: {},
} as const

const STANDING: Standing[] = [
  {
    what: 'a run that no worker takes',
    make: created,
    mend: removeRuns,
    finding: { check: 'runs', message: /^No worker takes 1 run \(the oldest is run_\S+\)/, cure: /nightshift start --only worker/ },
  },
  {
    what: 'a run that was cancelled while nobody could end it',
    make: async () => query(database.db, 'update runs set cancel_requested_at = now() where id = $1', [await created()]),
    mend: removeRuns,
    finding: { check: 'runs', message: /^No worker takes 1 run/, cure: /Start a worker/ },
  },
  {
    what: 'a run that a limit holds',
    async make() {
      const id = await created()
      await hold(database.db, id, { by: 'job work', obstacle: null })
      await age('runs set held_at = held_at', `id = '${id}'`)
    },
    mend: removeRuns,
    finding: { check: 'runs', message: /^The limit of job work has held 1 run/, cure: /concurrency/ },
  },
  {
    what: 'a run whose worker is gone and that nobody takes over',
    async make() {
      const id = await created()
      await opened(database.db, id)
      await fallSilent(database.db, id)
    },
    mend: removeRuns,
    finding: { check: 'runs', message: /has not been heard of for more than ten minutes/, cure: /nightshift start/ },
  },
  {
    what: 'a run that waits for a person',
    make: () => waitingFor('{"kind": "connection", "account": "reports", "server": "shop"}'),
    mend: removeRuns,
    finding: { check: 'waiting', message: /connect shop as reports/, cure: /^nightshift connect shop --account reports$/ },
  },
  {
    what: 'a run that waits for an account that is gone',
    make: () => waitingFor('{"kind": "connection", "account": "old", "server": "shop"}'),
    mend: removeRuns,
    finding: { check: 'waiting', message: /This configuration has no account old/, cure: /Put the account back, or cancel/ },
  },
  {
    what: 'a run that waits for what only a later version knows',
    make: () => waitingFor('{"kind": "approval"}'),
    mend: removeRuns,
    finding: { check: 'waiting', message: /what this version does not know/, cure: /the version that wrote them/ },
  },
  {
    what: 'a report that its receiver does not take',
    make: () => reported("tries = 4, error = 'HTTP 503'"),
    mend: removeRuns,
    finding: { check: 'reports', message: /^1 report for webhook team .*: HTTP 503\.$/, cure: /See the receiver/ },
  },
  {
    what: 'a report that no worker has tried to send',
    make: () => reported('tries = 0'),
    mend: removeRuns,
    finding: { check: 'reports', message: /no worker has tried/, cure: /See the receiver/ },
  },
  {
    what: 'a report that was given up',
    make: () => reported("status = 'failed', ended_at = now(), error = 'HTTP 410'"),
    mend: removeRuns,
    finding: { check: 'reports', message: /given up in the last day: HTTP 410/, cure: /Correct the receiver/ },
  },
  {
    what: 'a fire that no scheduler decided',
    make: () => syncSchedule(database.db, { job: 'daily', ...schedule }, new Date(Date.now() - DAYS * 86_400_000)),
    mend: () => query(database.db, 'update schedule_progress set decided_until = now()'),
    finding: { check: 'schedules', message: /^Nobody has decided the fire of daily at \S+ 07:00 UTC\.$/, cure: /--only scheduler/ },
  },
  {
    what: 'an alarm that could not be sent',
    make: () =>
      query(database.db, "insert into alarms (id, body, created_at, tries) values (gen_random_uuid(), '{}', now() - interval '1 hour', 5)"),
    mend: () => query(database.db, 'update alarms set sent_at = now()'),
    finding: { check: 'alarms', message: /^1 alarm could not be sent .*tried up to 5 times/, cure: /alerts:/ },
  },
  {
    what: 'an account that is suspect',
    async make() {
      const [event] = await query<{ id: string }>(
        database.db,
        `insert into authorize_events (line_digest, occurrence, request_id, time, method, host, path, ip, user_id, allowed, reasons)
         values ('d', 1, 'r', now(), 'POST', 'h', '/', 'i', 'u', true, '{}') returning id`,
      )
      const about = { accountId: 'sa-1', account: 'reports', events: [String(event?.id)] }
      await raiseSuspect(database.db, about, { id: randomUUID(), body: ALARM })
    },
    mend: () => query(database.db, "update suspects set acknowledged_at = now(), acknowledged_by = 'ann'"),
    finding: { check: 'suspects', message: /^1 line of Pomerium’s log since .* account reports/, cure: /audit acknowledge reports/ },
  },
]

test.each(STANDING)('$what is named with its cure, and no more once it is as it should be', async ({ make, mend, finding }) => {
  await make()
  const { check, message, cure } = finding
  expect(await look()).toEqual([{ check, status: 'warning', message: expect.stringMatching(message), cure: expect.stringMatching(cure) }])
  await mend()
  expect(await look()).toEqual([])
})

test('what moves on by itself is not named: a run just queued, one for later, one behind another, one that is paused', async () => {
  const { db } = database
  await writeRun(db)
  const earlier = await writeRun(db)
  await opened(db, earlier)
  const behind = await writeRun(db, { afterRun: earlier })
  const later = await created()
  await query(db, "update runs set next_attempt_at = now() + interval '1 day' where id = $1", [later])
  await query(db, "update runs set created_at = now() - interval '1 hour' where id = $1", [behind])
  expect(await look()).toEqual([])
})
