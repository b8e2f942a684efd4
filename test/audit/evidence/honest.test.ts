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
import { prune } from '../../../src/store/retention.ts'
import { finishRun } from '../../../src/store/runs/finish.ts'
import { someone } from '../../support/actor.ts'
import { retryRuns } from '../../../src/store/runs/retry.ts'
import { opened, takenOver, writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase } from '../../support/database/database.ts'
import { createDice, type Dice } from '../../support/dice.ts'
import { signerFiles, signerOf } from '../../support/evidence/signer.ts'
import { authorizeLine } from '../../support/log/log-lines.ts'

const DAY_MS = 86_400_000

interface House {
  db: Db
  dice: Dice
  keyFile: string
  /** Opens the store anew, as another host has it. */
  move: (settings: string) => Promise<void>
}

const one = <T>(dice: Dice, of: readonly T[]): T | undefined => of[dice.between(0, of.length - 1)]
const idsOf = (db: Db, condition: string) => query<{ id: string }>(db, `select id from runs where ${condition} order by id`)

async function endRun({ db, dice }: House, id: string, claimed = () => opened(db, id)): Promise<void> {
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

/** What happens to a store by right. */
const STEPS: Record<string, (house: House) => Promise<unknown>> = {
  run: async (house) => endRun(house, await writeRun(house.db)),
  'run again': async ({ db, dice }) => {
    const original = one(dice, await idsOf(db, 'finished_at is not null'))
    if (original) await endRun({ db, dice, keyFile: '', move: async () => {} }, await writeRun(db, { retryOf: original.id }))
  },
  retry: async (house) => {
    const failed = one(house.dice, await idsOf(house.db, "status = 'failed' and pruned_at is null"))
    if (!failed) return
    await retryRuns(house.db, { ids: [failed.id] }, [], someone())
    await endRun(house, failed.id)
  },
  'retry that is under way': async ({ db, dice }) => {
    const failed = one(dice, await idsOf(db, "status = 'failed' and pruned_at is null"))
    if (failed) await retryRuns(db, { ids: [failed.id] }, [], someone())
  },
  'retry beside a checkpoint': async ({ db, dice, keyFile }) => {
    const failed = one(dice, await idsOf(db, "status = 'failed' and pruned_at is null"))
    if (failed) await Promise.all([takeCheckpoint(db, signerOf(keyFile)), retryRuns(db, { ids: [failed.id] }, [], someone())])
  },
  'lost worker': async ({ db, dice }) => {
    const id = await writeRun(db)
    await opened(db, id)
    await endRun({ db, dice, keyFile: '', move: async () => {} }, id, () => takenOver(db, id))
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
    for (const { id } of await idsOf(house.db, "status = 'queued'")) await endRun(house, id)
  },
  'late end': ({ db }) => query(db, 'update gateway_requests set status = 200, duration_ms = 0.1, response_bytes = 7 where status is null'),
  'report sent': ({ db }) => query(db, "update deliveries set status = 'delivered', ended_at = now(), tries = 2 where status = 'pending'"),
  content: ({ db, dice }) => prune(db, { content: { succeeded: dice.between(5, 40) * DAY_MS }, metadata: {} }),
  metadata: ({ db, dice }) => prune(db, { content: {}, metadata: { succeeded: dice.between(5, 40) * DAY_MS } }),
  log: ({ db, dice }) => {
    const time = new Date(Date.now() - dice.between(0, 20) * DAY_MS).toISOString()
    const lines = Array.from({ length: dice.between(1, 5) }, () => authorizeLine({ time, 'request-id': randomUUID() })).join('\n')
    return importLog(Readable.from([Buffer.from(lines)]), { db, paramsBytes: 100 })
  },
  'log retention': ({ db, dice }) => prune(db, { content: {}, metadata: {}, log: dice.between(3, 15) * DAY_MS }),
  checkpoint: ({ db, keyFile }) => takeCheckpoint(db, signerOf(keyFile)),
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
    for (let n = 0; n < 40; n++) {
      const name = n % 3 === 2 ? 'checkpoint' : (one(dice, names) ?? '')
      done.push(name)
      await STEPS[name]?.(house)
      if (done.includes('checkpoint')) {
        const { faults, gaps } = await verifyStore(house.db, readPublicKey(`${house.keyFile}.pub`), [])
        expect({ done, faults, gaps }).toEqual({ done, faults: [], gaps: [] })
      }
    }
  },
)
