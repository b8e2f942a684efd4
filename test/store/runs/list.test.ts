import { expect, test } from 'vitest'
import { noUsage } from '../../../src/core/run.ts'
import type { Db } from '../../../src/store/postgres/db.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { isEmptyFilter, type RunFilter } from '../../../src/store/runs/filter.ts'
import { createJournalWriter } from '../../../src/store/attempts/journal.ts'
import { countRuns, listRuns } from '../../../src/store/runs/list.ts'
import { retryRuns } from '../../../src/store/runs/retry.ts'
import { finishRun } from '../../../src/store/runs/finish.ts'
import { suspendRun } from '../../../src/store/runs/suspend.ts'
import { loadRun } from '../../../src/store/runs/show.ts'
import { callRecord, endCancelled, opened, turnRecord, writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase } from '../../support/database/database.ts'
import { someone } from '../../support/actor.ts'

const at = (hour: number) => new Date(Date.UTC(2026, 10, 24, hour))
const listed = async (db: Db, filter: RunFilter) => (await listRuns(db, filter, { limit: 100 })).map(({ id }) => id)

/** Finishes a run that called a tool. */
async function finish(db: Db, id: string, { status = 'succeeded', searchText = '', tool = 'act', code }: Made): Promise<void> {
  const attempt = await opened(db, id)
  const journal = createJournalWriter(db).forAttempt(attempt)
  await journal.turn(turnRecord(1))
  await journal.toolCallRefused(callRecord({ server: 'shop', tool }), {
    id: callRecord().id,
    status: 'ok',
    result: null,
    failure: null,
    durationMs: 1,
  })
  const reasons = code ? [{ code, message: 'why' }] : []
  expect(await finishRun(db, attempt, { status, searchText, reasons, failure: null, usage: noUsage, costUsd: null })).toMatchObject({
    stillOwned: true,
  })
}

interface Made {
  status?: 'succeeded' | 'incomplete'
  searchText?: string
  tool?: string
  code?: 'DEADLINE' | 'BUDGET_TURNS'
}

async function writeFive(db: Db): Promise<void> {
  await finish(db, await writeRun(db, { id: 'run_1', job: 'hr', requestedBy: 'ann' }), { searchText: 'Zürich grew by 3 %', tool: 'look' })
  await finish(db, await writeRun(db, { id: 'run_2', job: 'hr', requestedBy: 'bob' }), {
    status: 'incomplete',
    code: 'DEADLINE',
    searchText: 'Geneva fell',
  })
  await finish(db, await writeRun(db, { id: 'run_3', job: 'tax' }), {
    status: 'incomplete',
    code: 'BUDGET_TURNS',
    searchText: 'Zürich fell',
  })
  await suspendRun(db, await opened(db, await writeRun(db, { id: 'run_4', job: 'tax', requestedBy: 'ann' })), {
    status: 'waiting',
    failure: { code: 'CONNECTION_REQUIRED', message: 'connect it', retry: 'after-connection', server: 'shop' },
    waitsFor: { kind: 'connection', account: 'reports', server: 'shop' },
  })
  await writeRun(db, { id: 'run_5', job: 'hr' })
  for (let n = 1; n <= 5; n++) await query(db, 'update runs set created_at = $2 where id = $1', [`run_${n}`, at(n)])
  // The second takes longest.
  await query(
    db,
    "update runs set finished_at = created_at + case when id = 'run_2' then interval '90 minutes' else interval '10 minutes' end where finished_at is not null",
  )
}

const FILTERS: [RunFilter, number[]][] = [
  [{}, [5, 4, 3, 2, 1]],
  [{ job: 'hr' }, [5, 2, 1]],
  [{ job: 'no-such' }, []],
  [{ status: ['incomplete'] }, [3, 2]],
  [{ status: ['incomplete', 'queued'] }, [5, 3, 2]],
  [{ status: [] }, []],
  [{ code: 'DEADLINE' }, [2]],
  [{ code: 'CONNECTION_REQUIRED' }, [4]],
  [{ requestedBy: 'ann' }, [4, 1]],
  [{ since: at(3) }, [5, 4, 3]],
  [{ until: at(3) }, [2, 1]],
  [{ since: at(2), until: at(4) }, [3, 2]],
  [{ endedSince: at(2) }, [3, 2]],
  [{ endedUntil: at(3) }, [1]],
  [{ endedUntil: at(4) }, [3, 2, 1]],
  [{ endedSince: at(3), endedUntil: at(4) }, [3, 2]],
  [{ endedUntil: at(4), until: at(3) }, [2, 1]],
  [{ endedUntil: at(3), until: at(4) }, [1]],
  [{ endedSince: at(3), since: at(3) }, [3]],
  [{ held: true }, []],
  [{ tool: 'shop.act' }, [3, 2]],
  [{ tool: 'shop.look' }, [1]],
  [{ tool: 'shop' }, []],
  [{ text: 'zürich' }, [3, 1]],
  [{ text: 'zürich fell' }, [3]],
  [{ text: 'zürich -fell' }, [1]],
  [{ text: 'grew or geneva' }, [2, 1]],
  [{ text: '"fell zürich"' }, []],
  [{ ids: ['run_1', 'run_5', 'run_9'] }, [5, 1]],
  [{ ids: [] }, []],
  [
    {
      job: 'hr', status: ['incomplete'], code: 'DEADLINE', requestedBy: 'bob', since: at(2), until: at(3), tool: 'shop.act', text: 'geneva', ids: ['run_2'],
    },
    [2],
  ],
  [{ job: 'hr', requestedBy: 'bob', status: ['succeeded'] }, []],
] // prettier-ignore

test('each filter, alone and with others, means the runs that it says, newest first', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await writeFive(db)
  for (const [filter, expected] of FILTERS) {
    const ids = expected.map((n) => `run_${n}`)
    expect([filter, await listed(db, filter)]).toEqual([filter, ids])
    expect([filter, await countRuns(db, filter)]).toEqual([filter, ids.length])
  }
})

test('each filter gives the same runs a page at a time, and of some jobs those alone', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await writeFive(db)
  const paged = async (filter: RunFilter) => {
    const seen: string[] = []
    for (let before: string | undefined; ; before = seen.at(-1)) {
      const page = await listRuns(db, filter, { limit: 1, before })
      if (page.length === 0) return seen
      seen.push(...page.map(({ id }) => id))
    }
  }
  const jobs = ['hr', 'hr', 'tax', 'tax', 'hr']
  for (const [filter, expected] of FILTERS) {
    expect([filter, await paged(filter)]).toEqual([filter, expected.map((n) => `run_${n}`)])
    const ofHr = expected.filter((n) => jobs[n - 1] === 'hr').map((n) => `run_${n}`)
    expect([filter, await paged({ ...filter, jobs: ['hr', 'no-such'] })]).toEqual([filter, ofHr])
    expect([filter, await paged({ ...filter, jobs: ['tax', 'hr'] })]).toEqual([filter, expected.map((n) => `run_${n}`)])
    expect(await paged({ ...filter, jobs: [] })).toEqual([])
  }
})

test('within a time, runs of one moment come each once, a page at a time', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await writeFive(db)
  await query(db, 'update runs set created_at = $1', [at(3)])
  const first = await listRuns(db, { since: at(1), until: at(4) }, { limit: 2 })
  const second = await listRuns(db, { since: at(1), until: at(4) }, { limit: 5, before: first.at(-1)?.id })
  expect([...first, ...second].map(({ id }) => id)).toEqual(['run_5', 'run_4', 'run_3', 'run_2', 'run_1'])
})

test('pages go on after the last id, with no run twice and none left out, while runs are added', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await writeFive(db)
  const seen: string[] = []
  for (let before: string | undefined; ; before = seen.at(-1)) {
    const page = await listRuns(db, {}, { limit: 2, before })
    if (page.length === 0) break
    seen.push(...page.map(({ id }) => id))
    await writeRun(db, { id: `run_9${seen.length}` })
  }
  expect(seen).toEqual(['run_5', 'run_4', 'run_3', 'run_2', 'run_1'])
  expect(await listRuns(db, { job: 'hr' }, { limit: 1, before: 'run_5' })).toMatchObject([{ id: 'run_2' }])
})

test('a word that only old runs have is found behind any number of newer ones, in pages too', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await writeFive(db)
  await query(
    db,
    `insert into runs (id, job, job_version, status, trigger, input, account, words)
     select 'run_9' || i, 'hr', job_version, 'queued', '{"kind":"cli"}', '{}', 'reports', to_tsvector('simple', 'nothing')
     from runs, generate_series(10000, 15000) i where id = 'run_1'`,
  )
  expect(await listed(db, { text: 'fell' })).toEqual(['run_3', 'run_2'])
  expect(await listed(db, { text: 'fell', job: 'hr' })).toEqual(['run_2'])
  expect(await listRuns(db, { text: 'fell' }, { limit: 1 })).toMatchObject([{ id: 'run_3' }])
  expect(await listRuns(db, { text: 'fell' }, { limit: 1, before: 'run_3' })).toMatchObject([{ id: 'run_2' }])
  expect(await listRuns(db, { text: 'nothing or fell' }, { limit: 1, before: 'run_910001' })).toMatchObject([{ id: 'run_910000' }])
})

const HOSTILE = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'x\udfffy',
  "'",
  "'; drop table runs; --",
  '"',
  '"unfinished',
  '\\',
  "\\'",
  '& | ! ( ) : * <->',
  'a & b | !c',
  'a:* <2> b',
  'or or or',
  '- - -',
  '%_',
  '$1',
  '\u202eabc\u0007',
  '😀',
  'x'.repeat(1000),
  'a '.repeat(500),
  '-a or '.repeat(160),
]

test.each(HOSTILE.map((text) => ({ text })))('hostile text $text in a filter is only text', async ({ text }) => {
  await using database = await createTestDatabase()
  const { db } = database
  await writeRun(db, { id: 'run_1' })
  for (const filter of [{ text }, { job: text }, { requestedBy: text }, { tool: text }, { ids: [text] }] satisfies RunFilter[])
    expect([Object.keys(filter), await listed(db, filter)]).toEqual([Object.keys(filter), []])
  await expect(listRuns(db, {}, { limit: 1, before: text })).resolves.toBeInstanceOf(Array)
  expect(await listed(db, {})).toEqual(['run_1'])
})

test('a text that is too long to be searched for is refused, for the API as for the command line', async () => {
  await using database = await createTestDatabase()
  const filter = { text: 'word '.repeat(201) }
  for (const ask of [
    () => listed(database.db, filter),
    () => countRuns(database.db, filter),
    () => retryRuns(database.db, filter, [], someone()),
  ])
    await expect(ask()).rejects.toMatchObject({ code: 'FILTER_INVALID' })
})

test.each([
  { title: 'a NUL', tool: 'a\0b' },
  { title: 'a lone surrogate', tool: 'a\ud83db' },
  { title: 'another lone surrogate', tool: '\udfff' },
  { title: 'a pair and a lone one', tool: '😀\ud800' },
])('a tool name from the provider with $title does not keep a run from finishing', async ({ tool }) => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  await finish(db, id, { tool, searchText: `found ${tool} here` })
  expect(await loadRun(db, id)).toMatchObject({ status: 'succeeded', toolCalls: [{ tool }] })
  expect(await listed(db, { text: 'here' })).toEqual([id])
})

test.each(['query', 'Löhne', '日本', '😀', 'a"b\\c', 'x'.repeat(3000)])('a run is found by its tool %s', async (tool) => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  await finish(db, id, { tool })
  expect(await listed(db, { tool: `shop.${tool}` })).toEqual([id])
})

test.each([
  { title: 'half a megabyte of different words', text: Array.from({ length: 60_000 }, (_, i) => `w${i}`).join(' ') },
  { title: 'one word without an end', text: 'x'.repeat(500_000) },
  { title: 'nothing but NULs', text: '\0'.repeat(60_000) },
  { title: 'lone surrogates', text: '\ud800'.repeat(20_000) },
])('a search text of $title does not keep a run from finishing', async ({ text }) => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  await finish(db, id, { searchText: text })
  expect(await loadRun(db, id)).toMatchObject({ status: 'succeeded' })
})

test('a run that was cancelled while it was queued is found by its code', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  await endCancelled(db, id)
  expect(await listed(db, { code: 'CANCELLED' })).toEqual([id])
  expect(await loadRun(db, id)).toMatchObject({ status: 'cancelled', failure: { code: 'CANCELLED' }, reasons: [{ code: 'CANCELLED' }] })
})

test('only a filter with no field at all is empty', () => {
  expect([isEmptyFilter({}), isEmptyFilter({ job: undefined }), isEmptyFilter({ job: 'hr' }), isEmptyFilter({ ids: [] })]).toEqual([
    true,
    true,
    false,
    false,
  ])
})

test('what held a run is told of it as long as it waits, and no more when it was cancelled', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  await query(db, "update runs set held_by = 'job one' where id = $1", [id])
  const told = async () => [(await listRuns(db, {}, { limit: 1 }))[0]?.heldBy, (await loadRun(db, id))?.heldBy]
  expect(await told()).toEqual(['job one', 'job one'])
  await query(db, "update runs set status = 'cancelled', finished_at = now() where id = $1", [id])
  expect(await told()).toEqual([null, null])
})
