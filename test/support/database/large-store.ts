import { query, type Db } from '../../../src/store/postgres/db.ts'
import { fillInBulk, inParallel } from './bulk.ts'

/** So many runs of a large store are open; all others are over, most of them for long. */
const OPEN = 1000

/** The id of the run with this number; ids are in the order of time. */
export const runId = (n: number): string => `run_${String(n).padStart(8, '0')}`

/** Of each run: its number `i`, id, job, account and time, whether it is `open`, and its attempts. */
const each = (runs: number) => `
  (select i, 'run_' || lpad(i::text, 8, '0') as id, 'job' || i % 20 as job, 'account' || i % 5 as account, i > ${runs - OPEN} as open,
     now() - make_interval(mins => (${runs} - i) * 5) as at, case when i > ${runs - OPEN} and i % 20 > 1 then 0 else 1 end as attempts
   from generate_series(1, ${runs}) i) r`

/** Fills each table for run number `i`: as many rows of most as there are runs. */
const tables = (runs: number, r = each(runs)): Record<string, string> => ({
  runs: `insert into runs (id, job, job_version, status, trigger, input, account, attempts, priority, created_at, started_at, finished_at, heartbeat_at,
      held_by, held_at, after_run, next_attempt_at, waits_for, output, output_digest, codes, tools, words, requested_by)
    select id, job, 'v1',
      case when not open then case when i % 10 = 0 then 'failed' else 'succeeded' end
        when i % 20 = 0 then 'running' when i % 20 = 1 then 'waiting' else 'queued' end,
      '{"kind":"cli"}', '{}', account, attempts, 10, at, at,
      case when not open then at + interval '1 minute' end, case when open and i % 20 = 0 then now() end,
      case when open and i % 20 between 2 and 6 then 'job job' || i % 20 end, case when open and i % 20 between 2 and 6 then at end,
      case when open and i % 20 = 7 then 'run_' || lpad((i - 1)::text, 8, '0') end, case when open and i % 20 = 8 then now() + interval '1 day' end,
      case when open and i % 20 = 1 then json_build_object('kind', 'connection', 'account', 'account1', 'server', 's' || i % 3) end,
      case when not open then '{}'::json end, case when not open and i % 20 <> 19 then 'digest' end,
      case when i % 10 = 0 then '{UPSTREAM_UNAVAILABLE}'::text[] else '{}' end, '{labor.query}', to_tsvector('simple', 'word' || i), 'ann'
    from ${r}`,
  attempts: `insert into attempts (run_id, number, token, worker, conversation, job_version, status, started_at, finished_at)
    select id, 1, gen_random_uuid(), 'one', 1, 'v1',
      case when open then case when i % 20 = 0 then 'running' else 'waiting' end when i % 10 = 0 then 'failed' else 'succeeded' end, at,
      case when not open or i % 20 > 0 then at + interval '1 minute' end
    from ${r} where attempts = 1`,
  turns: `insert into turns (run_id, number, attempt, items, stop_reason, model, input_tokens, cached_tokens, output_tokens, reasoning_tokens, started_at, finished_at)
    select id, 1, 1, '[]', 'stop', 'm', 1, 0, 1, 0, at, at from ${r} where attempts = 1`,
  tool_calls: `insert into tool_calls (id, run_id, attempt, turn, position, call_id, server, tool, arguments, repeatable, status, started_at)
    select md5(id)::uuid, id, 1, 1, 0, '"1"', 'labor', '"query"', '{}', true, 'ok', at from ${r} where attempts = 1`,
  gateway_requests: `insert into gateway_requests (request_id_sent, request_id, run_id, attempt, account, account_id, method, host, path, request_bytes, sent_at, status, server, tool_call_id, rpc_method)
    select md5(id || 'g')::uuid, md5(id || 'r'), id, 1, account, account, 'POST', 'labor.example', '/mcp', 1, at, 200, 'labor', md5(id)::uuid, 'tools/call'
    from ${r} where attempts = 1`,
  authorize_events: `insert into authorize_events (line_digest, occurrence, request_id, time, method, host, path, ip, user_id, account_id, mcp_method, mcp_tool, allowed, reasons, matched_by, run_id, gateway_request)
    select md5(id), 1, md5(id || 'r'), at, 'POST', 'labor.example', '/mcp', '::1', 'u', account, 'tools/call', 'query', true, '{}',
      case when not open then 'request-id' end, case when not open then id end, case when not open then md5(id || 'g')::uuid end
    from ${r} where attempts = 1`,
  result_contents: `insert into result_contents (digest, bytes, media_type, encoding, content, named_at)
    select md5(id), 9, 'text/plain', 'identity', 'whatever'::bytea, at from ${r} where attempts = 1 and i % 10 = 0`,
  run_contents: `insert into run_contents (run_id, digest) select id, md5(id) from ${r} where attempts = 1 and i % 10 = 0`,
  responses: `insert into responses (run_id, turn, attempt, background) select id, 1, 1, true from ${r} where attempts = 1`,
  unseen_answers: `insert into unseen_answers (run_id, attempt, turn, input_tokens, output_tokens) select id, 1, 2, 100, 10 from ${r} where attempts = 1`,
  run_accounts: `insert into run_accounts (account_id, account, run_id, attempt, expires_at)
    select id, account, case when i % 2 = 0 then id end, 1, at from ${r}`,
  run_account_ends: `insert into run_account_ends (run_id, attempt, expires_at, ended_at)
    select id, 1, created_at - interval '1 year' * (i % 2), created_at from (select *, row_number() over (order by id) as i from runs) r where i <= 1000`,
  deliveries: `insert into deliveries (id, run_id, attempt, target, status, created_at, next_try_at)
    select md5(id || 'd')::uuid, id, 1, '{"kind":"webhook","name":"team"}', case when open then 'pending' else 'delivered' end, at, at
    from ${r}`,
  run_ends: `insert into run_ends (run_id, conversation, status, reasons, finished_at) select id, 1, 'failed', '[]', at from ${r} where attempts = 1`,
  acts: `insert into acts (id, at, act, actor, via, jobs, runs)
    select md5('act' || i)::uuid, now() - make_interval(hours => i), 'retry', 'ann', 'cli', '{job1}', 1 from generate_series(1, 1000) i`,
  run_acts: `insert into run_acts (run_id, act_id, conversation, attempt)
    select id, md5('act' || i)::uuid, 1, 1 from ${r} where i <= 1000`,
  fires: `insert into fires (job, fire_at, status, run_id) select job, at, 'run', id from ${r}`,
  idempotency_keys: `insert into idempotency_keys (owner, key, request_digest, run_id, created_at) select 'ann', id, 'd', id, greatest(at, now() - interval '23 hours') from ${r}`,
  served_requests: `insert into served_requests (request_id, host, served_at) select 'request-' || id, 'nightshift.example.com', greatest(at, now() - interval '2 days') from ${r}`,
  pruned_runs: `insert into pruned_runs (run_id) select 'old_' || id from ${r}`,
  log_gaps: `insert into log_gaps (file, from_time, until_time, noticed_at) select 'pomerium.log', at, at, at
    from (select now() - make_interval(hours => i) as at from generate_series(1, 100) i) gaps`,
  alarms: `insert into alarms (id, body, created_at, sent_at) select md5(id || 'a')::uuid, '{}', at, at from ${r}`,
  budget_days: `insert into budget_days (scope, name, day) select 'job', 'job' || i % 20, current_date - i / 20 from generate_series(0, 4000) i`,
  schedule_progress: `insert into schedule_progress (job, cron, timezone, decided_until, seen_at)
    select 'job' || i % 20, i / 20 || ' * * * *', 'UTC', now(), now() - make_interval(days => i) from generate_series(0, 399) i`,
  scheduler_presence: `insert into scheduler_presence (up_since) values (now() - interval '1 year')`,
  suspects: `insert into suspects (account_id, events, first_event, acknowledged_at)
    select 'sa' || i, 1, 1, now() - make_interval(days => i) from generate_series(1, 100) i`,
  bad_rows: `insert into bad_rows (duty, row_key, reason, met_at) select 'import', i, 'odd', now() - make_interval(hours => i) from generate_series(1, 1000) i`,
  checkpoints: `insert into checkpoints (number, taken_at, runs, document) select i, now(), '[]', '{}' from generate_series(1, 365) i`,
})

/** Of the two processors that a machine has at least. */
const AT_ONCE = 2

/** Fills a migrated database, as it is after some months of work. */
export async function fillStore(db: Db, runs: number): Promise<void> {
  const versions = `insert into job_versions (job, version, definition)
    select 'job' || i % 20, 'v' || i / 20 + 1, '{"delegate":"local"}' from generate_series(0, 399) i`
  await fillInBulk(db, [versions, ...Object.values(tables(runs))], AT_ONCE)
  const named = await query<{ table: string }>(db, 'select tablename as table from pg_tables where schemaname = current_schema()')
  await inParallel(
    db,
    named.map(({ table }) => `vacuum analyze ${table}`),
    AT_ONCE,
  )
}
