import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { takeCheckpoint } from '../../../src/audit/evidence/checkpoint.ts'
import { readPublicKey } from '../../../src/audit/evidence/keys.ts'
import { rotateKey } from '../../../src/audit/evidence/rotation.ts'
import { verifyStore } from '../../../src/audit/evidence/verify.ts'
import { importLog } from '../../../src/audit/log/import.ts'
import { noUsage } from '../../../src/core/run.ts'
import { openDb, query, type Db } from '../../../src/store/postgres/db.ts'
import { noteStalled } from '../../../src/store/attempts/stalled.ts'
import { prune, type Keep } from '../../../src/store/retention.ts'
import { acknowledgeSuspect, listUnsentAlarms, markAlarmSent, putOffAlarm, raiseSuspect } from '../../../src/store/audit/suspects.ts'
import { requestCancel } from '../../../src/store/runs/heartbeat.ts'
import type { NewRun } from '../../../src/store/runs/insert.ts'
import { backfillFires, recordFires } from '../../../src/store/schedules/fires.ts'
import { liftPause, pauseJob } from '../../../src/store/schedules/pauses.ts'
import { finishRun } from '../../../src/store/runs/finish.ts'
import { someone } from '../../support/actor.ts'
import { retryRuns } from '../../../src/store/runs/retry.ts'
import { endCancelled, opened, takenOver, writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase } from '../../support/database/database.ts'
import { createDice, type Dice } from '../../support/dice.ts'
import { signerFiles, signerOf } from '../../support/evidence/signer.ts'
import { authorizeLine } from '../../support/log/log-lines.ts'

const DAY_MS = 86_400_000

interface House {
  db: Db
  dice: Dice
  keyFile: string
  /** What retention is configured to remove. */
  keep: Keep
  /** Opens the store anew, as another host has it. */
  move: (settings: string) => Promise<void>
}

const RETRYABLE = "status in ('failed', 'cancelled') and pruned_at is null"

const one = <T>(dice: Dice, of: readonly T[]): T | undefined => of[dice.between(0, of.length - 1)]
const idsOf = (db: Db, condition: string) => query<{ id: string }>(db, `select id from runs where ${condition} order by id`)

async function endRun({ db, dice }: Pick<House, 'db' | 'dice'>, id: string, claimed = () => opened(db, id)): Promise<void> {
  const attempt = await claimed()
  await query(
    db,
    `insert into gateway_requests (request_id_sent, run_id, attempt, account, account_id, method, host, path, request_bytes, sent_at)
     select gen_random_uuid(), $1, attempts, 'reports', 'sa', 'POST', 'h', '/', 1, now() from runs where id = $1`,
    [id],
  )
  const status = dice.roll() < 0.5 ? ('succeeded' as const) : ('failed' as const)
  const failure = status === 'failed' ? ({ code: 'MODEL_UNAVAILABLE', message: 'away', retry: 'later' } as const) : null
  const deliveries = [{ id: randomUUID(), target: { webhook: 'ops' }, status: 'pending' as const }]
  await finishRun(db, attempt, {
    status, output: { total: dice.roll() }, reasons: [], failure, usage: noUsage, costUsd: dice.roll() / 3, deliveries: dice.roll() < 0.3 ? deliveries : [],
  }) // prettier-ignore
  await query(db, 'update runs set finished_at = now() - make_interval(days => $2) where id = $1', [id, dice.between(1, 40)])
}

const NO_KEEP: Keep = { content: {}, metadata: {} }
const fireTime = (dice: Dice) => new Date(Math.floor(Date.now() / 1000) * 1000 - dice.between(0, 60 * 86_400) * 1000)
const fireRun = (at: Date): NewRun => ({
  id: `run_${randomUUID()}`, job: 'timed', jobVersion: 'sha256:2', account: 'reports', trigger: { kind: 'schedule', fireAt: at.toISOString() }, input: {},
}) // prettier-ignore

/** What happens to a store by right. */
const STEPS: Record<string, (house: House) => Promise<unknown>> = {
  run: async (house) => endRun(house, await writeRun(house.db)),
  'run again': async ({ db, dice }) => {
    const original = one(dice, await idsOf(db, 'finished_at is not null'))
    if (original) await endRun({ db, dice }, await writeRun(db, { retryOf: original.id }))
  },
  retry: async (house) => {
    const failed = one(house.dice, await idsOf(house.db, RETRYABLE))
    if (!failed) return
    await retryRuns(house.db, { ids: [failed.id] }, [], someone())
    await endRun(house, failed.id)
  },
  'retry that is under way': async ({ db, dice }) => {
    const failed = one(dice, await idsOf(db, RETRYABLE))
    if (failed) await retryRuns(db, { ids: [failed.id] }, [], someone())
  },
  'retry beside a checkpoint': async ({ db, dice, keyFile, keep }) => {
    const failed = one(dice, await idsOf(db, RETRYABLE))
    if (failed) await Promise.all([takeCheckpoint(db, signerOf(keyFile), { keep }), retryRuns(db, { ids: [failed.id] }, [], someone())])
  },
  'lost worker': async ({ db, dice }) => {
    const id = await writeRun(db)
    await opened(db, id)
    await endRun({ db, dice }, id, () => takenOver(db, id))
  },
  'late word of a stall': async ({ db }) => {
    const lost = await query<{ run: string; number: number; token: string }>(
      db,
      "select run_id as run, number, token from attempts where failure ->> 'code' = 'WORKER_LOST'",
    )
    await noteStalled(
      db,
      lost.map(({ run: runId, ...attempt }) => ({ runId, ...attempt })),
      true,
    )
  },
  'end of what is queued': async (house) => {
    for (const { id } of await idsOf(house.db, "status = 'queued' and after_run is null")) await endRun(house, id)
  },
  'late end': ({ db }) => query(db, 'update gateway_requests set status = 200, duration_ms = 0.1, response_bytes = 7 where status is null'),
  'report sent': ({ db }) => query(db, "update deliveries set status = 'delivered', ended_at = now(), tries = 2 where status = 'pending'"),
  cancel: async ({ db, dice }) => {
    const queued = one(dice, await idsOf(db, "status = 'queued'"))
    await endCancelled(db, queued?.id ?? (await writeRun(db)))
  },
  'cancel of what runs': async (house) => {
    const id = await writeRun(house.db)
    const attempt = await opened(house.db, id)
    await requestCancel(house.db, id, someone())
    await endRun(house, id, async () => attempt)
  },
  'retry that is cancelled before a claim': async ({ db, dice }) => {
    const failed = one(dice, await idsOf(db, RETRYABLE))
    if (!failed) return
    await retryRuns(db, { ids: [failed.id] }, [], someone())
    await endCancelled(db, failed.id)
    await query(db, 'update runs set finished_at = now() - make_interval(mins => $2) where id = $1', [failed.id, dice.between(10, 900)])
  },
  'act in pieces': async ({ db }) => {
    const by = someone()
    await endCancelled(db, await writeRun(db), by)
    await endCancelled(db, await writeRun(db, { job: 'other' }), by)
  },
  pause: async ({ db }) => {
    await pauseJob(db, 'work', someone())
    await liftPause(db, 'work', someone())
  },
  'fires of a schedule': async ({ db, dice }) => {
    const at = fireTime(dice)
    const fires = [
      { decision: { at, verdict: 'run', madeUp: false }, run: fireRun(at) } as const,
      { decision: { at: new Date(at.getTime() + 1000), verdict: 'skip', reason: 'it was paused' }, run: undefined } as const,
    ]
    await recordFires(db, {
      schedule: { job: 'timed', cron: '0 * * * *', timezone: 'UTC' },
      fires,
      overlap: 'queue',
      definition: {},
      until: at,
    })
  },
  backfill: async ({ db, dice }) => {
    const skipped = await query<{ at: Date }>(db, "select fire_at as at from fires where status = 'skipped'")
    const at = one(dice, skipped)?.at ?? fireTime(dice)
    await backfillFires(db, [{ at, run: fireRun(at) }], {})
  },
  alarm: async ({ db, dice }) => {
    await STEPS['log']?.({ db, dice, keyFile: '', keep: NO_KEEP, move: async () => {} })
    const lines = await query<{ id: string }>(db, 'select id::text from authorize_events where alerted_at is null')
    const account = `sa${dice.between(1, 2)}`
    const body = { specversion: '1.0', id: randomUUID(), source: '/nightshift/audit', type: 'nightshift.audit', subject: account, time: new Date().toISOString(), datacontenttype: 'application/json', data: {} } as const // prettier-ignore
    await raiseSuspect(db, { accountId: account, account, events: lines.map(({ id }) => id) }, { id: randomUUID(), body })
  },
  'alarms sent': async ({ db }) => {
    for (const { id } of await listUnsentAlarms(db)) await markAlarmSent(db, id)
  },
  'alarms put off': async ({ db }) => {
    for (const { id } of await listUnsentAlarms(db)) await putOffAlarm(db, id, { ms: 1, refused: undefined })
  },
  acknowledge: ({ db, dice }) => acknowledgeSuspect(db, { account: `sa${dice.between(1, 2)}`, by: 'ann', reason: 'a test of ours' }),
  'another retention': async (house) => {
    const { db, dice, keyFile } = house
    const age = () => (dice.roll() < 0.5 ? dice.between(3, 40) * DAY_MS : dice.roll() < 0.5 ? 1 : undefined)
    const ages = () => ({ succeeded: age(), failed: age(), cancelled: age() })
    house.keep = { content: ages(), metadata: ages(), log: age(), fires: age() }
    // A checkpoint says it, as the upkeep takes one once it is another.
    await takeCheckpoint(db, signerOf(keyFile), { everyMs: DAY_MS, keep: house.keep })
  },
  retention: ({ db, keep }) => prune(db, keep),
  log: ({ db, dice }) => {
    const time = new Date(Date.now() - dice.between(0, 20) * DAY_MS).toISOString()
    const lines = Array.from({ length: dice.between(1, 5) }, () => authorizeLine({ time, 'request-id': randomUUID() })).join('\n')
    return importLog(Readable.from([Buffer.from(lines)]), { db, paramsBytes: 100 })
  },
  checkpoint: ({ db, keyFile, keep }) => takeCheckpoint(db, signerOf(keyFile), { keep }),
  rotation: ({ db, keyFile }) => rotateKey(db, signerFiles(keyFile), undefined),
  move: async ({ move }) => {
    await move("set timezone = 'Asia/Kathmandu'")
    await move("set datestyle = 'German'")
    await move('set extra_float_digits = -4')
  },
}

test.each(Array.from({ length: 8 }, (_, seed) => seed + 1))(
  'no honest store is accused, whatever happens to it by right (seed %i)',
  async (seed) => {
    await using database = await createTestDatabase()
    await using stack = new AsyncDisposableStack()
    const dir = stack.adopt(mkdtempSync(join(tmpdir(), 'nightshift-honest-')), (path) => rmSync(path, { recursive: true, force: true }))
    const dice = createDice(seed)
    const house: House = {
      db: database.db,
      dice,
      keyFile: join(dir, 'evidence.key'),
      keep: NO_KEEP,
      async move(setting) {
        await query(
          house.db,
          `do $$ begin execute format('alter database %I ${setting.replaceAll("'", "''")}', current_database()); end $$`,
        )
        house.db = stack.adopt(openDb({ url: database.url }), (db) => db.end())
      },
    }
    const names = Object.keys(STEPS)
    const done: string[] = []
    signerOf(house.keyFile)
    await STEPS['run']?.(house)
    for (let n = 0; n < 45; n++) {
      const name = n % 3 === 2 ? 'checkpoint' : (one(dice, names) ?? '')
      done.push(name)
      await STEPS[name]?.(house)
      if (done.includes('checkpoint')) {
        const { faults, gaps } = await verifyStore(house.db, readPublicKey(`${house.keyFile}.pub`), [], house.keep)
        expect({ done, faults, gaps }).toEqual({ done, faults: [], gaps: [] })
      }
    }
  },
)
