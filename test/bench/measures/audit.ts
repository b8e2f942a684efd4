import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { exportBundle, verifyBundle } from '../../../src/audit/evidence/bundle.ts'
import { importLog } from '../../../src/audit/log/import.ts'
import { createSigningKey } from '../../../src/audit/evidence/keys.ts'
import { matchEvents } from '../../../src/audit/join/match.ts'
import { eachUnexplained } from '../../../src/audit/join/unexplained.ts'
import { auditReport } from '../../../src/audit/report.ts'
import { openDb, query, type Db } from '../../../src/store/postgres/db.ts'
import { startEmbeddedPostgres } from '../../../src/store/postgres/embedded/server.ts'
import { loadDefinitions, loadEvents } from '../../../src/store/audit/evidence.ts'
import { migrate } from '../../../src/store/postgres/migrate.ts'
import { loadRun } from '../../../src/store/runs/show.ts'
import { authorizeLine } from '../../support/log/log-lines.ts'
import { median, round, type Bench, type Row } from '../bench.ts'

const LINES = 200_000
const EVENTS = 20_000
const REPORT_EVENTS = 1_000_000
const FOREIGN_EVENTS = 5_000_000
const CALLS = 1000
const ours = () => [{ accountId: 'sa-reports', account: 'reports' }]

/** Reading and joining Pomerium's log, the report, and evidence. */
export const audit: Bench = {
  name: 'audit',
  about:
    'log lines filtered a second, events stored and matched a second, the report over 1 M events, a round of the join beside 5 M lines of others, export and verify of 1,000 calls',
  async run({ reps, scale, say }) {
    const size = (count: number) => Math.max(1, Math.round(count * scale))
    await using stack = new AsyncDisposableStack()
    const dir = mkdtempSync(join(tmpdir(), 'nightshift-bench-'))
    stack.defer(() => rmSync(dir, { recursive: true, force: true }))
    const postgres = await startEmbeddedPostgres({ dir: join(dir, 'postgres'), ephemeral: true })
    stack.defer(() => postgres.stop())
    // Millions of rows are written by one statement.
    const db = openDb({ url: postgres.url, timeouts: { statementMs: 1_800_000 } })
    stack.defer(() => db.end())
    await migrate(db)
    const filtered: number[] = []
    const stored: number[] = []
    const reported: number[] = []
    const rounds: number[] = []
    const exported: number[] = []
    const verified: number[] = []
    const take = async (name: string, into: number[], measure: () => Promise<number>) => {
      for (let rep = 1; rep <= reps; rep++) {
        into.push(await measure())
        say(`${name} ${rep}/${reps}: ${round(into.at(-1) ?? 0)}`)
      }
    }
    await take('lines filtered/s', filtered, () => filter(db, size(LINES)))
    await take('events stored and matched/s', stored, () => storeAndMatch(db, size(EVENTS)))
    await fill(db, size(REPORT_EVENTS))
    await take('report ms', reported, () => timed(async () => void (await auditReport(db, ours(), { graceMs: 30_000 }))))
    await fillForeign(db, size(FOREIGN_EVENTS))
    await take('round ms', rounds, () => round100(db))
    const runId = await runWithCalls(db, size(CALLS))
    const key = createSigningKey(join(dir, 'evidence.key'))
    let bundle = ''
    await take('export ms', exported, () =>
      timed(async () => {
        const run = await loadRun(db, runId)
        if (!run) throw new Error('the run is gone')
        bundle = exportBundle({ run, definitions: await loadDefinitions(db, runId), events: await loadEvents(db, runId) }, key)
      }),
    )
    const bytes = Buffer.from(bundle)
    await take('verify ms', verified, () =>
      timed(async () => {
        if (!verifyBundle(bytes, key.publicKey).ok) throw new Error('it is not genuine')
      }),
    )
    const row: Row = {
      linesFilteredPerSecond: Math.round(median(filtered)),
      eventsPerSecond: Math.round(median(stored)),
      reportEvents: size(REPORT_EVENTS),
      reportMs: round(median(reported)),
      foreignEvents: size(FOREIGN_EVENTS),
      roundMs: round(median(rounds)),
      calls: size(CALLS),
      bundleKb: Math.round(bytes.length / 1024),
      exportMs: round(median(exported)),
      verifyMs: round(median(verified)),
    }
    return [row]
  },
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

const inChunks = (text: string) =>
  Readable.from(
    (function* chunks() {
      const bytes = Buffer.from(text)
      for (let at = 0; at < bytes.length; at += 1_048_576) yield bytes.subarray(at, at + 1_048_576)
    })(),
  )

/** As Pomerium logs at level info: three of four lines are about other things. */
async function filter(db: Db, count: number): Promise<number> {
  const other = JSON.stringify({ level: 'info', service: 'envoy', 'upstream-cluster': 'route-1', method: 'POST', authority: 'hr.example.com', path: '/mcp', 'response-code': 200, duration: 12.5, size: 1234, 'request-id': 'x'.repeat(36), time: '2026-11-24T10:00:00Z', message: 'http-request' }) // prettier-ignore
  const text = `${other}\n`.repeat(count)
  const ms = await timed(async () => {
    const counts = await importLog(inChunks(text), { db, paramsBytes: 2048 })
    if (counts.skipped !== count) throw new Error('lines were taken for events')
  })
  return (count / ms) * 1000
}

async function storeAndMatch(db: Db, count: number): Promise<number> {
  await query(db, 'truncate authorize_events')
  await query(db, 'delete from gateway_requests')
  await query(
    db,
    `insert into gateway_requests (request_id_sent, request_id, account, account_id, method, host, path, rpc_method, request_bytes, sent_at, status)
     select md5(i::text)::uuid, md5(i::text)::uuid::text, 'reports', 'sa-reports', 'POST', 'counting.localhost.pomerium.io', '/mcp', 'tools/call', 0, now(), 200
     from generate_series(1, $1) i`,
    [count],
  )
  await query(db, 'analyze gateway_requests')
  const ids = await query<{ id: string }>(db, 'select request_id as id from gateway_requests')
  const time = new Date().toISOString()
  const text = ids
    .map(({ id }) => `${authorizeLine({ 'request-id': id, 'mcp-tool-parameters': { sql: `select ${id}` }, time })}\n`)
    .join('')
  const ms = await timed(async () => {
    await importLog(inChunks(text), { db, paramsBytes: 2048 })
    const matched = await matchEvents({ db, ours, expected: [], graceMs: 0 })
    if (matched !== count) throw new Error(`${matched} of ${count} matched`)
  })
  return (count / ms) * 1000
}

/** A month of events of twenty accounts, some of them ours; most are matched, some foreign, a few unexplained. */
async function fill(db: Db, count: number): Promise<void> {
  await query(db, 'truncate authorize_events')
  await query(db, 'delete from gateway_requests')
  await query(
    db,
    `insert into gateway_requests (request_id_sent, request_id, account, account_id, method, host, path, rpc_method, request_bytes, sent_at, status)
     select md5(i::text)::uuid, md5(i::text)::uuid::text, 'account-' || i % 20, 'sa-' || i % 20, 'POST', 'host-' || i % 10 || '.example.com', '/mcp', 'tools/call', 0,
       now() - i * interval '2.5 seconds', 200
     from generate_series(1, $1) i where i % 10 < 9`,
    [count],
  )
  await query(
    db,
    `insert into authorize_events (line_digest, occurrence, request_id, time, method, host, path, ip, user_id, account_id, mcp_method, mcp_tool, allowed, reasons, matched_by, gateway_request)
     select md5(i::text), 1, md5(i::text)::uuid::text, now() - i * interval '2.5 seconds', 'POST', 'host-' || i % 10 || '.example.com', '/mcp', '10.0.0.1', 'svc',
       case when i % 10 < 9 then 'sa-' || i % 20 when i % 1000 = 9 then 'sa-3' when i % 20 = 19 then 'sa-foreign' end, 'tools/call', 'tool-' || i % 7, true, '{user-ok}',
       case when i % 10 < 9 then 'request-id' end, case when i % 10 < 9 then md5(i::text)::uuid end
     from generate_series(1, $1) i`,
    [count],
  )
  await query(db, 'vacuum analyze authorize_events')
  await query(db, 'vacuum analyze gateway_requests')
}

/** Lines of forty accounts of others and of people, each joined once. */
async function fillForeign(db: Db, count: number): Promise<void> {
  await query(db, 'truncate authorize_events')
  await query(
    db,
    `insert into authorize_events (line_digest, occurrence, request_id, time, method, host, path, ip, user_id, account_id, mcp_method, mcp_tool, allowed, reasons, matched_by)
     select md5(i::text), 1, md5(i::text)::uuid::text, now() - i * interval '50 ms', 'POST', 'host-' || i % 10 || '.example.com', '/mcp', '10.0.0.1', 'svc',
       case when i % 2 = 0 then 'sa-foreign-' || i % 40 end, 'tools/call', 'tool', true, '{user-ok}', 'foreign'
     from generate_series(1, $1) i`,
    [count],
  )
  await query(db, 'vacuum analyze authorize_events')
}

let rounds100 = 0

/** A round of the follower with a hundred new lines, of which half are of others. */
async function round100(db: Db): Promise<number> {
  const from = rounds100++ * 100
  const lines = Array.from({ length: 100 }, (_, i) =>
    authorizeLine({
      'request-id': `new-${from + i}`,
      'service-account-id': i % 2 === 0 ? 'sa-foreign-1' : 'sa-reports',
      time: new Date().toISOString(),
    }),
  )
  await importLog(Readable.from([Buffer.from(lines.join('\n'))]), { db, paramsBytes: 0 })
  return timed(async () => {
    await matchEvents({ db, ours, expected: [], graceMs: 0, thorough: false })
    await eachUnexplained(db, ours(), { graceMs: 0, asOf: { now: new Date(), aheadMs: 0 }, fresh: true }, (page) => {
      if (page.length === 0) throw new Error('the new lines were not found')
      return false
    })
  })
}

async function runWithCalls(db: Db, count: number): Promise<string> {
  await query(db, `insert into job_versions (job, version, definition) values ('bench', 'sha256:1', '{"delegate":"local"}')`)
  await query(
    db,
    `insert into runs (id, job, job_version, account, status, trigger, input, attempts, started_at, finished_at, output_text)
     values ('run_bench', 'bench', 'sha256:1', 'reports', 'succeeded', '{"kind":"cli"}', '{}', 1, now(), now(), '"done"')`,
  )
  await query(
    db,
    `insert into attempts (run_id, number, token, worker, conversation, job_version, status, started_at, finished_at)
     values ('run_bench', 1, gen_random_uuid(), 'one', 1, 'sha256:1', 'succeeded', now(), now())`,
  )
  await query(
    db,
    `insert into tool_calls (id, run_id, attempt, turn, position, call_id, server, tool, arguments, repeatable, status, result)
     select md5('c' || i)::uuid, 'run_bench', 1, i, 0, '"c"', 'hr', '"query"', json_build_object('sql', 'select ' || i), false, 'ok',
       json_build_object('text', repeat('row ', 250), 'truncated', false, 'bytes', 1000)
     from generate_series(1, $1) i`,
    [count],
  )
  await query(
    db,
    `insert into gateway_requests (request_id_sent, request_id, run_id, attempt, tool_call_id, account, account_id, method, host, path, rpc_method, request_bytes, sent_at, status)
     select md5('g' || i)::uuid, md5('g' || i)::uuid::text, 'run_bench', 1, md5('c' || i)::uuid, 'reports', 'sa-reports', 'POST', 'hr.example.com', '/mcp', 'tools/call', 0, now(), 200
     from generate_series(1, $1) i`,
    [count],
  )
  await query(
    db,
    `insert into authorize_events (line_digest, occurrence, request_id, time, method, host, path, ip, user_id, account_id, allowed, reasons, matched_by, run_id, gateway_request, tool_call_id)
     select md5('e' || i), 1, md5('g' || i)::uuid::text, now(), 'POST', 'hr.example.com', '/mcp', '10.0.0.1', 'svc', 'sa-reports', true, '{user-ok}', 'request-id', 'run_bench',
       md5('g' || i)::uuid, md5('c' || i)::uuid
     from generate_series(1, $1) i`,
    [count],
  )
  return 'run_bench'
}
