import fc from 'fast-check'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { Failure } from '../../src/core/failure.ts'
import { FAILURES, type FailureCode } from '../../src/core/failure-codes.ts'
import { jobSchema } from '../../src/jobs/schema.ts'
import { createSettler } from '../../src/runs/settle.ts'
import { query } from '../../src/store/postgres/db.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { claim, writeRun } from '../support/database/attempts.ts'
import { createTestDatabase } from '../support/database/database.ts'

const log = pino({ level: 'silent' })
const definition = jobSchema.parse({
  account: 'reports',
  model: { provider: 'openai', name: 'm' },
  prompt: 'Go.',
  tools: { labor: { allow: ['query'] } },
})

const codes = Object.keys(FAILURES).filter((code): code is FailureCode => code in FAILURES)
/** Text of a server that nobody here wrote, by what is wrong with it: a counterexample stays short. */
const FOREIGN: Record<string, string> = {
  plain: 'It did not work.',
  NUL: 'a\0b',
  'half a character': '\ud800',
  'two halves, the wrong way round': '\udfff\ud800',
  'many words': 'word '.repeat(400_000),
  'one long word': 'x'.repeat(2_000_000),
  'wide characters': '\u{1f600}'.repeat(300_000),
  quotes: "'; drop table runs; --",
}
const foreign = fc.constantFrom(...Object.keys(FOREIGN))
const anyFailure = fc.record({
  code: fc.constantFrom(...codes),
  message: foreign,
  requestId: fc.option(foreign, { nil: undefined }),
  retryAfterMs: fc.option(fc.oneof(fc.double(), fc.constantFrom(-1, 8.64e15, 1e300, Number.NaN, Number.POSITIVE_INFINITY)), {
    nil: undefined,
  }),
})

test('whatever a failure says, it is kept, and its run is over or goes on later', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const settler = createSettler({ db, redact: (text) => text, concurrencyOf: undefined, onProgress: () => {} })
  await fc.assert(
    fc.asyncProperty(anyFailure, fc.boolean(), async ({ code, message, requestId, retryAfterMs }, readable) => {
      const failure = new Failure({ code, message: FOREIGN[message] ?? '', requestId: requestId && FOREIGN[requestId], retryAfterMs })
      const id = await writeRun(db)
      const opened = await claim(db, id)
      if (opened.kind !== 'opened') throw new Error(opened.kind)
      await settler.fail({ opened: opened.opened, definition: readable ? definition : undefined, log }, failure)
      const [row] = await query<{ status: string; at: Date | null; size: number }>(
        db,
        'select status, next_attempt_at as at, length(failure::text) as size from runs where id = $1',
        [id],
      )
      expect(['queued', 'waiting', 'failed', 'cancelled']).toContain(row?.status)
      if (row?.at) expect(row.at.getTime()).toBeLessThan(Date.now() + 2 * 86_400_000)
      expect(row?.size).toBeLessThan(20_000)
      expect(await loadRun(db, id)).toMatchObject({ failure: { code } })
    }),
    { numRuns: 60 },
  )
})

test('a run says when it is tried again while it will be, and in the end how often it was, with the command that goes on', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const settler = createSettler({ db, redact: (text) => text, concurrencyOf: undefined, onProgress: () => {} })
  const id = await writeRun(db)
  const twice = { ...definition, retry: { attempts: 2, backoff: '1h' } }
  async function failOnce() {
    const opened = await claim(db, id)
    if (opened.kind !== 'opened') throw new Error(opened.kind)
    await settler.fail({ opened: opened.opened, definition: twice, log }, new Failure({ code: 'MODEL_UNAVAILABLE', message: 'Down.' }))
    return loadRun(db, id)
  }
  const cure = FAILURES.MODEL_UNAVAILABLE.cure
  expect(await failOnce()).toMatchObject({ status: 'queued', failure: { cure }, nextAttemptAt: expect.any(String) })
  await query(db, 'update runs set next_attempt_at = now() where id = $1', [id])
  const final = `${cure} Its attempts (2) are used up: nightshift retry ${id}.`
  expect(await failOnce()).toMatchObject({
    status: 'failed',
    failure: { cure: final },
    reasons: [{ cure: final }],
    attempts: [{ failure: { cure } }, { failure: { cure: final } }],
  })
})
