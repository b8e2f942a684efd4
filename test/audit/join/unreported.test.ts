import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as pathOf } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { matchEvents } from '../../../src/audit/join/match.ts'
import { exportBundle, runEntries, verifyBundle } from '../../../src/audit/evidence/bundle.ts'
import { takeCheckpoint } from '../../../src/audit/evidence/checkpoint.ts'
import { proveRun } from '../../../src/audit/evidence/proof.ts'
import { verifyStore } from '../../../src/audit/evidence/verify.ts'
import { loadDefinitions, loadEvents } from '../../../src/store/audit/evidence.ts'
import { listSuspects, listUnsentAlarms } from '../../../src/store/audit/suspects.ts'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { countPrunable } from '../../../src/store/retention.ts'
import { listRuns } from '../../../src/store/runs/list.ts'
import { retryRuns } from '../../../src/store/runs/retry.ts'
import { loadRun } from '../../../src/store/runs/show.ts'
import { someone } from '../../support/actor.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database/database.ts'
import { signerOf } from '../../support/evidence/signer.ts'
import { joinOf, RUN } from '../../support/log/joined.ts'

let database: TestDatabase
let db: Db

beforeEach(async () => {
  database = await createTestDatabase()
  db = database.db
})

afterEach(async () => {
  vi.restoreAllMocks()
  await database[Symbol.asyncDispose]()
})

const resultSchema = z.object({ rows: z.array(z.unknown()) }).catch({ rows: [] })
const LIST = { 'mcp-method': 'tools/list', 'mcp-tool': undefined, 'mcp-tool-parameters': undefined }

/** A hosted run that has asked its provider, and whose one call was reported. */
async function hosted() {
  const join = await joinOf(db, 'hosted')
  await join.sent({ rpc: 'tools/list', seconds: 0, returned: 'own' })
  await join.called('act', { n: 1 })
  await join.read([join.line(0, { 'request-id': 'own', ...LIST }), join.line(2, { 'request-id': 'of-the-provider' })])
  return join
}

type Hosted = Awaited<ReturnType<typeof hosted>>

/** The run is over, its answer was read whole, and the log is read. */
async function over(join: Hosted, seconds = 10) {
  await join.answeredWhole()
  await join.ended(seconds)
  await join.match()
}

const told = (lines: number, calls: number) => ({
  code: 'CALL_UNREPORTED',
  message: `Pomerium’s log has ${lines} ${lines === 1 ? 'request' : 'requests'} of this run, ${calls} of them calls of tools, that its provider did not report.`,
})

test.each([
  ['a call more than the provider made, with equal arguments', {}, 1],
  ['a call with other arguments', { 'mcp-tool-parameters': { n: 2 } }, 1],
  ['a call of another tool that is allowed', { 'mcp-tool': 'look' }, 1],
  ['a call of a tool that is not allowed', { 'mcp-tool': 'drop' }, 1],
  [
    'a call too large for the gateway to look into',
    { 'mcp-method': undefined, 'mcp-tool': undefined, 'mcp-tool-parameters': undefined },
    1,
  ],
  ['a read of something else', { 'mcp-method': 'resources/read', 'mcp-tool': undefined }, 0],
])(
  '%s is of the run, whose provider did not report it: a green run is not any more, and no account is suspect',
  async (_, fields, calls) => {
    const join = await hosted()
    await join.read([join.line(3, { 'request-id': 'unreported', ...fields })])
    await over(join)
    expect(await join.report()).toMatchObject({
      events: 3,
      matched: 2,
      unreported: 1,
      unexplained: 0,
      recent: 0,
      unreportedRuns: [{ runId: RUN, job: 'work', status: 'incomplete', lines: 1, calls }],
    })
    expect(await listSuspects(db)).toEqual([])
    expect(await listUnsentAlarms(db)).toMatchObject([
      { body: { type: 'nightshift.audit.unreported', subject: RUN, data: { run: RUN, job: 'work', lines: 1, calls } } },
    ])
    expect(await loadRun(db, RUN)).toMatchObject({
      status: 'incomplete',
      reasons: [told(1, calls)],
      endedAs: { status: 'succeeded', reasons: [] },
      unreported: [{ requestId: 'unreported', matchedBy: 'unreported', allowed: true }],
    })
    expect(await listRuns(db, { code: 'CALL_UNREPORTED', status: ['incomplete'] }, { limit: 5 })).toHaveLength(1)
    expect(await listRuns(db, { status: ['succeeded'] }, { limit: 5 })).toEqual([])
  },
)

test.each([
  'resources/list',
  'resources/templates/list',
  'prompts/list',
  'logging/setLevel',
  'notifications/progress',
  'notifications/roots/list_changed',
])('that a client of its provider begins a session with %s takes no green, as often as sessions may begin', async (method) => {
  const join = await hosted()
  const ask = (n: number) => join.line(3, { ...LIST, 'request-id': `s${n}`, 'mcp-method': method })
  await join.read([1, 2, 3, 4, 5, 6].map(ask))
  await over(join)
  expect(await loadRun(db, RUN)).toMatchObject({ status: 'succeeded', unreported: [] })
  await join.read([ask(7)])
  await join.match()
  expect(await loadRun(db, RUN)).toMatchObject({ status: 'incomplete', reasons: [told(1, 0)] })
})

test('sessions of calls that were not reported are the run’s own, as many as those need', async () => {
  const join = await hosted()
  await over(join)
  await join.read([
    ...Array.from({ length: 4 }, (_, i) => join.line(20 + i, { 'mcp-tool-parameters': { n: i } })),
    ...Array.from({ length: 18 }, (_, i) => join.line(20 + i, LIST)),
  ])
  await join.match()
  expect(await join.report()).toMatchObject({ unreported: 4, matched: 20, unexplained: 0 })
  await join.read([join.line(50, LIST)])
  await join.match()
  expect(await loadRun(db, RUN)).toMatchObject({ reasons: [told(5, 4)], endedAs: { status: 'succeeded', reasons: [] } })
})

describe('until when lines of a run may come', () => {
  test.each([
    ['its answer was read whole: two minutes after its end', true, 10, 130, 131],
    ['its answer was not read whole: two minutes after the deadline of its attempt', false, 10, 720, 721],
    ['the same, and it ended after that deadline', false, 800, 920, 921],
  ])('%s; a later one is explained by nothing', async (_, whole, end, last, later) => {
    const join = await hosted()
    if (whole) await join.answeredWhole()
    await join.ended(end)
    join.setNow(2000)
    await join.read([join.line(last, { 'request-id': 'late', 'mcp-tool': 'look' }), join.line(later, { 'request-id': 'too-late' })])
    await join.match()
    expect(await join.report()).toMatchObject({ unreported: 1, unexplained: 1, unexplainedEvents: [{ requestId: 'too-late' }] })
  })

  test.each([
    ['a tool that is not allowed', { 'mcp-tool': 'drop' }],
    ['an allowed tool', { 'mcp-tool': 'look' }],
    ['no tool', { ...LIST, 'mcp-method': 'resources/read' }],
  ])('while it waits, and nobody is at work for it, none may: of %s', async (_, fields) => {
    const join = await hosted()
    await join.answeredWhole()
    await query(db, `update attempts set status = 'waiting', finished_at = started_at + interval '10 s'`)
    await query(db, `update runs set status = 'waiting', waits_for = '{"kind":"connection","account":"reports","server":"counting"}'`)
    join.setNow(2000)
    await join.read([join.line(1000, { 'request-id': 'stolen', ...fields })])
    await join.match()
    expect(await join.report()).toMatchObject({ unreported: 0, unexplained: 1 })
  })

  test('while it waits for its next attempt, which may find an answer whose end was not seen, those that are allowed may', async () => {
    const join = await hosted()
    await query(db, `update attempts set status = 'failed', finished_at = started_at + interval '10 s'`)
    await query(db, `update runs set status = 'queued', next_attempt_at = now() + interval '1 day'`)
    join.setNow(2000)
    await join.read(
      [1000, 1001].map((second) => join.line(second, { 'request-id': `goes-on-${second}`, 'mcp-tool': second === 1000 ? 'look' : 'drop' })),
    )
    await join.match()
    expect(await join.report()).toMatchObject({ unreported: 0, recent: 1, unexplained: 1 })
  })

  test.each([
    ['that does not exist', { headers: { 'X-Nightshift-Run-Id': 'run_of_nobody' } }],
    ['of which it has another account', { 'service-account-id': 'sa-second' }],
  ])('of a run %s, a line is explained by nothing', async (_, fields) => {
    const join = await hosted()
    join.ours.push({ accountId: 'sa-second', account: 'second' })
    await join.read([join.line(3, { 'request-id': 'stolen', ...fields })])
    await over(join)
    expect(await join.report()).toMatchObject({ unreported: 0, unexplained: 1 })
  })
})

test('while it is under way, calls beyond the limit of its job are told of at once, the others once its provider cannot report them any more', async () => {
  const join = await hosted()
  await join.read(Array.from({ length: 20 }, (_, i) => join.line(3, { 'request-id': `u${i}`, 'mcp-tool-parameters': { n: 2 } })))
  await join.match()
  expect(await join.report()).toMatchObject({ matched: 2, unreported: 16, unexplained: 0, recent: 4 })
  expect(await loadRun(db, RUN)).toMatchObject({ status: 'running', reasons: [], unreported: { length: 16 } })
  await over(join)
  expect(await join.report()).toMatchObject({ unreported: 20, recent: 0 })
  expect(await loadRun(db, RUN)).toMatchObject({ status: 'incomplete', reasons: [told(20, 20)] })
})

test('of however many lines of its provider, show reads those that it shows', async () => {
  const join = await hosted()
  await over(join)
  await join.read(Array.from({ length: 300 }, (_, i) => join.line(12, { 'request-id': `u${i}`, 'mcp-tool-parameters': { n: i + 2 } })))
  await join.match()
  const queries = vi.spyOn(pg.Client.prototype, 'query')
  const run = await loadRun(db, RUN)
  const results = await Promise.all(queries.mock.results.map(async ({ value }) => resultSchema.parse(await value)))
  expect(run?.unreported).toHaveLength(100)
  expect(run?.toolCalls).toMatchObject([{ decision: { allowed: true } }])
  expect(Math.max(...results.map(({ rows }) => rows.length))).toBe(100)
})

test('of however many runs, each is told in the same round', async () => {
  await joinOf(db, 'hosted')
  await query(
    db,
    `insert into runs (id, job, job_version, status, trigger, input, account, attempts, started_at, finished_at, untold)
     select 'run_' || lpad(n::text, 4, '0'), 'work', 'v1', 'succeeded', '{"kind":"cli"}', '{}', 'reports', 1, now(), now(), true from generate_series(1, 450) n`,
  )
  await matchEvents({ db, ours: () => [], expected: [], graceMs: 0 })
  expect(await query(db, 'select id from runs where untold')).toEqual([])
})

test('what its provider reports late explains a line that was taken for unreported', async () => {
  const join = await hosted()
  const lines = Array.from({ length: 6 }, (_, i) => join.line(3, { 'request-id': `u${i}`, 'mcp-tool-parameters': { n: 2 } }))
  await join.read(lines)
  await join.match()
  expect(await join.report()).toMatchObject({ unreported: 2, recent: 4 })
  for (let i = 1; i <= lines.length; i++) await join.called('act', { n: 2 }, i)
  await over(join)
  expect(await join.report()).toMatchObject({ unreported: 0, matched: 8, unexplained: 0 })
  expect(await loadRun(db, RUN)).toMatchObject({ status: 'succeeded', reasons: [], unreported: [], endedAs: null })
  expect(await listUnsentAlarms(db)).toEqual([])
  // It is green until then, and whoever had its report has to know.
  await join.read([join.line(12, { 'request-id': 'stolen' })])
  await join.match()
  expect(await loadRun(db, RUN)).toMatchObject({ status: 'incomplete', endedAs: { status: 'succeeded' } })
  expect(await listUnsentAlarms(db)).toMatchObject([{ body: { type: 'nightshift.audit.unreported', subject: RUN } }])
})

test('a request of ours that is known later by its id explains its line, and the run stands as it ended', async () => {
  const join = await hosted()
  const id = await join.sent({ rpc: 'resources/read', seconds: 3 })
  await join.read([join.line(3, { 'request-id': 'by-pomerium', 'mcp-method': 'resources/read', 'mcp-tool': undefined })])
  await over(join)
  expect(await loadRun(db, RUN)).toMatchObject({ status: 'incomplete', reasons: [told(1, 0)] })
  await join.answered(id, 'by-pomerium')
  await join.match()
  expect(await loadRun(db, RUN)).toMatchObject({ status: 'succeeded', reasons: [], unreported: [], endedAs: null })
})

test('a run that was decided to be not green for such lines alone says why, also when they are explained since', async () => {
  const join = await hosted()
  const end = JSON.stringify([told(2, 1)])
  await join.answeredWhole()
  await join.ended(10)
  await query(db, `update runs set status = 'incomplete', untold = true, reasons = $1, codes = '{CALL_UNREPORTED}'`, [end])
  await join.match()
  expect(await loadRun(db, RUN)).toMatchObject({ status: 'incomplete', reasons: [told(2, 1)] })
  expect(await query(db, 'select codes from runs')).toEqual([{ codes: ['CALL_UNREPORTED'] }])
})

test.each(['cancelled', 'failed', 'incomplete'])('a run that is %s stays so, and says it', async (status) => {
  const join = await hosted()
  await join.read([join.line(60, { 'request-id': 'went-on' })])
  await join.ended(10)
  const reasons = JSON.stringify([{ code: 'CANCELLED', message: 'The run was cancelled.' }])
  await query(db, `update runs set status = $1, reasons = $2, codes = '{CANCELLED}'`, [status, reasons])
  await join.match()
  const codes = ['CANCELLED', 'CALL_UNREPORTED']
  expect(await loadRun(db, RUN)).toMatchObject({ status, reasons: codes.map((code) => ({ code })), endedAs: { status } })
  expect(await query(db, 'select codes from runs')).toEqual([{ codes }])
  expect(await listUnsentAlarms(db)).toEqual([])
})

test('of an account of the run’s own, a line needs no header', async () => {
  const join = await hosted()
  await query(
    db,
    `insert into run_accounts (account_id, account, run_id, attempt, expires_at) values ('sa-own', 'reports', $1, 1, now())`,
    [RUN],
  )
  await join.read([join.line(3, { 'request-id': 'own-account', 'service-account-id': 'sa-own', headers: {} })])
  await over(join)
  expect(await loadRun(db, RUN)).toMatchObject({ status: 'incomplete', unreported: [{ requestId: 'own-account', accountId: 'sa-own' }] })
})

describe('an end that was signed', () => {
  let dir: string

  beforeEach(() => {
    dir = mkdtempSync(pathOf(tmpdir(), 'nightshift-unreported-'))
  })

  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  /** A green run that a checkpoint has, and of which a call is found afterwards that its provider did not report. */
  async function signedGreen() {
    const join = await hosted()
    await over(join)
    const signer = signerOf(pathOf(dir, 'evidence.key'))
    await takeCheckpoint(db, signer)
    await join.read([join.line(12, { 'request-id': 'late' })])
    await join.match()
    expect(await loadRun(db, RUN)).toMatchObject({ status: 'incomplete', endedAs: { status: 'succeeded' } })
    return { join, signer, faults: async () => (await verifyStore(db, signer.publicKey, [])).faults }
  }

  test('stays verified when the run stands otherwise since, also in the next checkpoint and after a retry', async () => {
    const { signer, faults } = await signedGreen()
    expect(await faults()).toEqual([])
    await retryRuns(db, { ids: [RUN] }, [], someone())
    expect(await loadRun(db, RUN)).toMatchObject({ status: 'queued', endedAs: null, earlierEnds: [{ status: 'succeeded', reasons: [] }] })
    expect(await faults()).toEqual([])
    await query(db, `update runs set status = 'succeeded', finished_at = now() - interval '1 hour'`)
    await takeCheckpoint(db, signer)
    expect(await faults()).toEqual([])
  })

  test('stays verified when a worker of the version before lets the run go on, which knows nothing of such lines', async () => {
    const { signer, faults } = await signedGreen()
    await query(
      db,
      `with kept as (update attempts a set mended = r.mended, reasons = r.reasons from runs r where a.run_id = r.id and a.number = r.attempts),
         act as (insert into acts (id, act, actor, via, jobs) values (gen_random_uuid(), 'retry', 'someone', 'cli', '{}') returning id),
         acted as (insert into run_acts (run_id, act_id, conversation, attempt) select $1, id, 1, 1 from act)
       update runs set status = 'queued', conversation = 2, holds = holds + 1, finished_at = null, checkpointed_attempts = null, reasons = '[]', codes = '{}'`,
      [RUN],
    )
    expect(await query(db, 'select reasons from attempts')).toEqual([{ reasons: [] }])
    expect(await faults()).toEqual([])
    await query(db, `update runs set status = 'succeeded', finished_at = now() - interval '1 hour'`)
    await takeCheckpoint(db, signer)
    expect(await faults()).toEqual([])
  })

  test.each([
    ['is said to be green again', `status = 'succeeded'`],
    ['is said to be of another status', `status = 'failed'`],
    ['has another reason', `reasons = '[{"code":"CALL_UNREPORTED","message":"m"},{"code":"TOOL_DENIED","message":"m"}]'`],
    ['has the reason twice', `reasons = '[{"code":"CALL_UNREPORTED","message":"m"},{"code":"CALL_UNREPORTED","message":"n"}]'`],
    ['has another code', `codes = '{CALL_UNREPORTED,TOOL_DENIED}'`],
    ['is said to have ended otherwise', `ended_as = '{"status":"failed","reasons":"[]","codes":"{}"}'`],
    ['has an end that cannot be read', `ended_as = '{"status":"succeeded"}'`],
    ['has none', `ended_as = null`],
  ])('is found to be changed when the run %s', async (_, edit) => {
    const { faults } = await signedGreen()
    await query(db, `update runs set ${edit}`)
    expect(await faults()).toEqual([`run ${RUN} of checkpoint 1 was changed`])
  })

  test('is proved by its bundle, which shows beside it what the run stands as', async () => {
    const { signer } = await signedGreen()
    const run = await loadRun(db, RUN)
    if (!run) throw new Error('the run is gone')
    const evidence = { run, definitions: await loadDefinitions(db, RUN), events: await loadEvents(db, RUN) }
    const inclusion = await proveRun(db, RUN, runEntries(evidence))
    if ('why' in inclusion) throw new Error(inclusion.why)
    const verdict = verifyBundle(Buffer.from(exportBundle({ ...evidence, inclusion }, signer)), signer.publicKey)
    if (!verdict.ok) throw new Error(verdict.why)
    const dataOf = (kind: string) => verdict.bundle.entries.filter((entry) => entry.kind === kind).map(({ data }) => data)
    expect(dataOf('attemptEnded')).toMatchObject([{ status: 'succeeded', reasons: [] }])
    expect(dataOf('standsAs')).toMatchObject([{ status: 'incomplete', reasons: [{ code: 'CALL_UNREPORTED' }] }])
    expect(dataOf('authorizeEvent')).toContainEqual(expect.objectContaining({ requestId: 'late', matchedBy: 'unreported' }))
    expect(verdict.provenIn).toHaveLength(1)
  })

  test('is what retention goes by', async () => {
    await signedGreen()
    const keep = (metadata: Record<string, number>) => countPrunable(db, { content: {}, metadata })
    expect(await keep({ incomplete: 1 })).toMatchObject({ metadata: 0 })
    expect(await keep({ succeeded: 1 })).toMatchObject({ metadata: 1 })
  })
})
