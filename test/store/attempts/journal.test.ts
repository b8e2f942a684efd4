import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { notesItem } from '../../../src/core/rules/context/record.ts'
import { noUsage } from '../../../src/core/run.ts'
import { openDb, query, type Db } from '../../../src/store/postgres/db.ts'
import { loadHistory } from '../../../src/store/attempts/history.ts'
import { createJournalWriter } from '../../../src/store/attempts/journal.ts'
import { finishRun } from '../../../src/store/runs/finish.ts'
import { loadRun } from '../../../src/store/runs/show.ts'
import { callRecord, opened, takenOver, turnRecord, writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase } from '../../support/database/database.ts'
import { until } from '../../support/until.ts'

const requestRecord = (extra: { requestIdSent?: string; toolCallId?: string | null } = {}) => ({
  requestIdSent: randomUUID(),
  toolCallId: null,
  account: 'reports',
  accountId: 'acc-1',
  method: 'POST',
  host: 'counting.localhost.pomerium.io',
  path: '/',
  rpcMethod: 'tools/call',
  server: 'counting',
  requestBytes: 100,
  sentAt: new Date(),
  ...extra,
})
const requestEnd = (requestIdSent: string) => ({
  requestIdSent,
  requestId: 'pomerium-1',
  status: 200,
  responseBytes: 12,
  durationMs: 1,
  error: null,
})
const okEnd = (id: string, text = 'done') => ({
  id, status: 'ok' as const, result: { text, truncated: false }, failure: null, durationMs: 1,
}) // prettier-ignore

async function journalOf(db: Db, writer = createJournalWriter(db)) {
  const runId = await writeRun(db)
  const attempt = await opened(db, runId)
  return { runId, attempt, writer, journal: writer.forAttempt(attempt) }
}

test('a row is there for every other connection when its promise resolves', async () => {
  await using database = await createTestDatabase()
  const other = openDb({ url: database.url, max: 1 })
  const { runId, journal } = await journalOf(database.db)
  const call = callRecord()
  await journal.turn(turnRecord(1))
  expect((await loadRun(other, runId))?.turns).toHaveLength(1)
  await journal.toolCall(call)
  expect((await loadRun(other, runId))?.toolCalls).toMatchObject([{ id: call.id, status: 'sent', finishedAt: null }])
  await journal.toolCallEnd(okEnd(call.id))
  expect((await loadRun(other, runId))?.toolCalls).toMatchObject([{ status: 'ok', result: { text: 'done' } }])
  await other.end()
})

test('what becomes known of a call is written while it has no end, and by its own attempt', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { runId, attempt, writer, journal } = await journalOf(db)
  const call = { ...callRecord(), server: '', tool: '', arguments: null, repeatable: false }
  const details = { id: call.id, server: 'counting', tool: 'act', arguments: { n: 1 }, repeatable: true }
  const row = async () => (await loadRun(db, runId))?.toolCalls[0]
  await journal.toolCall(call)
  await journal.toolCallDetails(details)
  expect(await row()).toMatchObject({ ...details, status: 'sent' })
  await journal.toolCallEnd(okEnd(call.id))
  await journal.toolCallDetails({ ...details, tool: 'look' })
  expect(await row()).toMatchObject({ ...details, status: 'ok' })
  const next = writer.forAttempt(await takenOver(db, runId))
  await expect(writer.forAttempt(attempt).toolCallDetails(details)).rejects.toMatchObject({ code: 'WORKER_LOST' })
  await next.toolCallDetails(details)
})

test('calls of a turn that an earlier attempt left without an end are ended by the next one, and no others', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { runId, attempt, writer, journal } = await journalOf(db)
  const [left, ended, other] = [callRecord(), { ...callRecord(), position: 1 }, { ...callRecord(), turn: 2 }]
  for (const call of [left, ended, other]) await journal.toolCall(call)
  await journal.toolCallEnd(okEnd(ended.id))
  const next = writer.forAttempt(await takenOver(db, runId))
  const lost = { turn: left.turn, failure: { code: 'OUTCOME_UNKNOWN' as const, message: 'Lost.', retry: 'never' as const } }
  await expect(writer.forAttempt(attempt).lostCalls(lost)).rejects.toMatchObject({ code: 'WORKER_LOST' })
  await next.lostCalls(lost)
  expect((await loadRun(db, runId))?.toolCalls.map(({ id, status }) => [id, status])).toEqual([
    [left.id, 'unknown'],
    [ended.id, 'ok'],
    [other.id, 'sent'],
  ])
})

test('of several writes to one row, without waiting in between, the last one stands', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { runId, journal } = await journalOf(db)
  const call = callRecord()
  const request = requestRecord({ toolCallId: call.id })
  await Promise.all([
    journal.turn(turnRecord(1)),
    journal.toolCall(call),
    journal.gatewayRequest(request),
    journal.gatewayRequestEnd(requestEnd(request.requestIdSent)),
    journal.toolCallEnd(okEnd(call.id)),
    journal.response({ turn: 2, background: true }),
    journal.responseState({ turn: 2, responseId: 'resp_1', state: 'started' }),
    journal.responseState({ turn: 2, responseId: null, state: 'over' }),
  ])
  expect(await loadRun(db, runId)).toMatchObject({
    toolCalls: [{ status: 'ok', requestId: 'pomerium-1' }],
    gatewayRequests: [{ status: 200, requestId: 'pomerium-1' }],
  })
  expect(await query(db, 'select response_id, state from responses')).toEqual([{ response_id: 'resp_1', state: 'over' }])
})

test('a thousand rows that are written at once are all kept, and promises resolve in the order of the calls', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { runId, journal } = await journalOf(db)
  const order: number[] = []
  await Promise.all(Array.from({ length: 1000 }, (_, i) => journal.turn(turnRecord(i + 1)).then(() => order.push(i + 1))))
  expect(order).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1))
  expect((await loadRun(db, runId))?.turns.map(({ number }) => number)).toEqual(order)
})

test('the end of a call whose row is still queued behind a thousand others is kept', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { runId, journal } = await journalOf(db)
  const calls = Array.from({ length: 600 }, (_, position) => callRecord({ position }))
  await Promise.all(calls.flatMap((call) => [journal.toolCall(call), journal.toolCallEnd(okEnd(call.id))]))
  const statuses = (await loadRun(db, runId))?.toolCalls.map(({ status }) => status)
  expect(statuses).toEqual(calls.map(() => 'ok'))
})

test('an attempt that was superseded writes nothing more, but for the ends of requests that it sent', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { runId, journal, writer } = await journalOf(db)
  const call = callRecord()
  const request = requestRecord()
  await Promise.all([journal.toolCall(call), journal.gatewayRequest(request)])
  const current = writer.forAttempt(await takenOver(db, runId))
  const tries = await Promise.allSettled([
    journal.turn(turnRecord(1)),
    journal.toolCall(callRecord()),
    journal.toolCallEnd(okEnd(call.id)),
    journal.toolCallRefused(callRecord(), { ...okEnd(call.id), status: 'refused' }),
    journal.gatewayRequest(requestRecord()),
    journal.response({ turn: 1, background: false }),
    journal.responseState({ turn: 1, responseId: 'resp_1', state: 'started' }),
    current.turn(turnRecord(2)),
    journal.gatewayRequestEnd(requestEnd(request.requestIdSent)),
  ])
  expect(tries.slice(0, 7).map((one) => (one.status === 'rejected' ? one.reason : one.status))).toEqual(
    Array.from({ length: 7 }, () => expect.objectContaining({ code: 'WORKER_LOST' })),
  )
  expect(tries.slice(7).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
  expect(await loadRun(db, runId)).toMatchObject({
    turns: [{ number: 2, attempt: 2 }],
    toolCalls: [{ id: call.id, status: 'sent' }],
    gatewayRequests: [{ requestIdSent: request.requestIdSent, status: 200 }],
  })
})

test('a token that is not the open one writes nothing, nor does an attempt that has ended', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { runId, attempt, journal, writer } = await journalOf(db)
  await expect(writer.forAttempt({ ...attempt, token: randomUUID() }).turn(turnRecord(1))).rejects.toMatchObject({ code: 'WORKER_LOST' })
  await finishRun(db, attempt, { status: 'succeeded', reasons: [], failure: null, usage: noUsage, costUsd: null })
  await expect(journal.turn(turnRecord(1))).rejects.toMatchObject({ code: 'WORKER_LOST' })
  expect((await loadRun(db, runId))?.turns).toEqual([])
})

test('a takeover waits for the rows that are being written, and sees them', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { runId, journal } = await journalOf(db)
  // The same turn in a transaction that is not over: the flush waits for its outcome, with the attempt locked.
  const blocker = await db.connect()
  await blocker.query('begin')
  await blocker.query(
    `insert into turns select run_id, 1, 1, '[]', '', null, null, '', 0, 0, 0, 0, null, now(), now() from attempts where run_id = $1`,
    [runId],
  )
  const written = journal.turn(turnRecord(1))
  await waitFor(
    db,
    "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'with given%' and datname = current_database()",
  )
  const takeover = takenOver(db, runId).then(() => loadHistory(db, runId, 1))
  await waitFor(
    db,
    "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'with taken%' and datname = current_database()",
  )
  await blocker.query('rollback')
  blocker.release()
  await written
  expect((await takeover).map(({ number }) => number)).toEqual([1])
})

test('what was put aside before a turn is read again as it was written, and counted where the run is shown', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { runId, journal } = await journalOf(db)
  const context = { aside: ['t1c1', 't1c2'], summary: { of: 3 } }
  const items = [notesItem('12 rows')]
  await journal.turn(turnRecord(1, { items, purpose: 'summary', context }))
  await journal.turn(turnRecord(2))
  expect(await loadHistory(db, runId, 1)).toMatchObject([
    { purpose: 'summary', context, items },
    { purpose: null, context: null },
  ])
  expect((await loadRun(db, runId))?.turns).toMatchObject([
    { purpose: 'summary', putAside: 2, notes: '12 rows' },
    { purpose: null, putAside: 0, notes: null },
  ])
})

test('a flush whose connection is cut is written once', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { runId, journal } = await journalOf(db)
  const blocker = await db.connect()
  await blocker.query('begin')
  await blocker.query('lock table turns in access exclusive mode')
  const call = callRecord()
  const written = Promise.all([journal.turn(turnRecord(1)), journal.toolCall(call)])
  const flush = "from pg_stat_activity where wait_event_type = 'Lock' and query like 'with given%' and datname = current_database()"
  await waitFor(db, `select pg_terminate_backend(pid) ${flush}`)
  await blocker.query('commit')
  blocker.release()
  await written
  expect(await loadRun(db, runId)).toMatchObject({ turns: [{ number: 1 }], toolCalls: [{ id: call.id }] })
})

test('a flush that is sent again after it was written changes nothing', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { runId, journal } = await journalOf(db)
  const call = callRecord()
  const request = requestRecord()
  const write = async () => {
    await Promise.all([journal.turn(turnRecord(1)), journal.toolCall(call), journal.gatewayRequest(request)])
    await Promise.all([journal.toolCallEnd(okEnd(call.id)), journal.gatewayRequestEnd(requestEnd(request.requestIdSent))])
  }
  await write()
  await write()
  expect(await loadRun(db, runId)).toMatchObject({ turns: [{}], toolCalls: [{ status: 'ok' }], gatewayRequests: [{ status: 200 }] })
})

test.each([
  ['NUL', 'a\0b'],
  ['a lone high surrogate', 'a\ud83db'],
  ['a lone low surrogate', '\udc00'],
  ['a pair of surrogates', '\u{1f600}'],
  ['escapes and quotes', '\\u0000 \\ " \' $1 {} \u2028'],
])('%s in names, arguments, results and the model’s words comes back as it was', async (_, text) => {
  await using database = await createTestDatabase()
  const { db } = database
  const { runId, attempt, journal } = await journalOf(db)
  const call = callRecord({ callId: text, tool: text, arguments: { [text]: text, list: [text] } })
  const failure = { code: 'UPSTREAM_ERROR', message: text, retry: 'never' } as const
  await journal.turn(turnRecord(1, { items: [{ type: 'message', text }], forcedBy: { code: 'BUDGET_TURNS', message: text } }))
  await journal.toolCall(call)
  await journal.toolCallEnd({ ...okEnd(call.id, text), failure })
  const [turn] = await loadHistory(db, runId, 1)
  expect(turn).toMatchObject({
    items: [{ text }],
    forcedBy: { message: text },
    calls: [{ tool: text, result: { text }, failure: { message: text } }],
  })
  expect(await query(db, 'select call_id from tool_calls where run_id = $1', [runId])).toEqual([{ call_id: text }])
  await finishRun(db, attempt, { status: 'succeeded', output: { [text]: text }, outputText: text, reasons: [{ code: 'TOOL_DENIED', message: text }], failure, usage: noUsage, costUsd: null }) // prettier-ignore
  expect(await loadRun(db, runId)).toMatchObject({
    output: { [text]: text },
    outputText: text,
    reasons: [{ message: text }],
    toolCalls: [{ tool: text, arguments: { [text]: text, list: [text] } }],
  })
})

test('characters of a provider’s or gateway’s ids that Postgres text cannot hold are kept as a replacement character', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { runId, journal } = await journalOf(db)
  const bad = 'x\0\ud800y'
  const shown = 'x\ufffd\ufffdy'
  const request = requestRecord()
  await journal.turn(turnRecord(1, { model: bad, stopReason: bad, responseId: bad, providerRequestId: bad }))
  await journal.gatewayRequest({ ...request, accountId: bad, rpcMethod: bad })
  await journal.gatewayRequestEnd({ ...requestEnd(request.requestIdSent), requestId: bad, error: bad })
  expect(await loadRun(db, runId)).toMatchObject({
    turns: [{ model: shown, stopReason: shown, responseId: shown, providerRequestId: shown }],
    gatewayRequests: [{ accountId: shown, rpcMethod: shown, requestId: shown, error: shown }],
  })
})

test('rows of many runs go into one statement, and each keeps to its run', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const writer = createJournalWriter(db)
  const houses = []
  for (let i = 0; i < 20; i++) houses.push(await journalOf(db, writer))
  await Promise.all(houses.flatMap(({ journal }, i) => [1, 2, 3].map((n) => journal.turn(turnRecord(n, { model: `model ${i}` })))))
  for (const [i, { runId }] of houses.entries())
    expect((await loadRun(db, runId))?.turns.map(({ model }) => model)).toEqual(Array.from({ length: 3 }, () => `model ${i}`))
})

/** Asks until there is an answer: what another connection does can only be looked at. */
const waitFor = (db: Db, text: string): Promise<true> => until(async () => (await query(db, text)).length > 0)

test('prompts of twenty attempts that begin together go into one statement', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const writer = createJournalWriter(db)
  const journals = await Promise.all(Array.from({ length: 20 }, () => journalOf(db, writer)))
  await Promise.all(journals.map(({ journal }, n) => journal.prompt({ prompt: `do ${n}`, instructions: null, contract: null })))
  expect(await query(db, 'select count(*)::int as prompts, count(distinct xmin::text)::int as statements from attempts where prompt is not null')) // prettier-ignore
    .toEqual([{ prompts: 20, statements: 1 }])
})

test('a row that Postgres refuses fails by itself: rows of other runs in the same flush are kept', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const writer = createJournalWriter(db)
  const [bad, good] = [await journalOf(db, writer), await journalOf(db, writer)]
  const call = callRecord()
  const request = requestRecord()
  await Promise.all([good.journal.toolCall(call), good.journal.gatewayRequest(request)])
  const poisoned = [
    bad.journal.turn(turnRecord(1, { usage: { ...noUsage, inputTokens: 12.5 } })),
    bad.journal.turn(turnRecord(2, { usage: { ...noUsage, outputTokens: Number.NaN } })),
    bad.journal.unseenAnswer({ turn: 3, usage: { ...noUsage, inputTokens: 0.5 } }),
    bad.journal.response({ turn: 2 ** 40, background: false }),
    bad.journal.responseState({ turn: 0.5, responseId: null, state: 'over' }),
    bad.journal.toolCall(callRecord({ id: 'no uuid' })),
    bad.journal.toolCallEnd(okEnd('no uuid')),
    bad.journal.gatewayRequest({ ...requestRecord(), requestBytes: 2 ** 40 }),
    bad.journal.gatewayRequestEnd({ ...requestEnd(randomUUID()), status: 1.5 }),
  ]
  const kept = [
    good.journal.prompt({ prompt: 'do it', instructions: null, contract: null }),
    good.journal.turn(turnRecord(1)),
    good.journal.unseenAnswer({ turn: 2, usage: { ...noUsage, inputTokens: 5 } }),
    good.journal.response({ turn: 2, background: false }),
    good.journal.toolCallEnd(okEnd(call.id)),
    good.journal.gatewayRequestEnd(requestEnd(request.requestIdSent)),
  ]
  expect((await Promise.allSettled(poisoned)).map(({ status }) => status)).toEqual(poisoned.map(() => 'rejected'))
  expect((await Promise.allSettled(kept)).map(({ status }) => status)).toEqual(kept.map(() => 'fulfilled'))
  expect(await loadRun(db, good.runId)).toMatchObject({
    attempts: [{ prompt: 'do it' }],
    turns: [{ number: 1 }],
    usage: { estimated: true },
    toolCalls: [{ id: call.id, status: 'ok' }],
    gatewayRequests: [{ status: 200 }],
  })
  expect((await loadRun(db, bad.runId))?.turns).toEqual([])
})
