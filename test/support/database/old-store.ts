/** Fills each table as soon as a step of the migrations has made it; `rows` each. What a table gets later has a default, or may be null. */
export const filledByStep = (rows: number): Record<string, string> => ({
  job_versions: `insert into job_versions (job, version, definition) values ('job', 'v1', '{"delegate":"local"}')`,
  runs: `insert into runs (id, job, job_version, status, trigger, input, account, attempts, started_at, finished_at)
    select 'run_' || lpad(i::text, 8, '0'), 'job', 'v1', case when i > ${rows - 100} then 'running' else 'succeeded' end, '{"kind":"cli"}', '{}', 'reports', 1, now(),
      case when i <= ${rows - 100} then now() end
    from generate_series(1, ${rows}) i`,
  attempts: `insert into attempts (run_id, number, token, worker, conversation, job_version, status, finished_at)
    select id, 1, md5(id)::uuid, 'one', 1, 'v1', status, finished_at from runs`,
  turns: `insert into turns (run_id, number, attempt, items, stop_reason, model, input_tokens, cached_tokens, output_tokens, reasoning_tokens, started_at, finished_at)
    select id, 1, 1, '[]', 'stop', 'm', 1, 0, 1, 0, now(), now() from runs`,
  tool_calls: `insert into tool_calls (id, run_id, attempt, turn, position, call_id, server, tool, arguments, repeatable, status)
    select md5(id)::uuid, id, 1, 1, 0, '"1"', 'labor', '"query"', '{}', true, 'ok' from runs`,
  gateway_requests: `insert into gateway_requests (request_id_sent, request_id, run_id, attempt, account, account_id, method, host, path, request_bytes, sent_at, status)
    select md5(id || 'g')::uuid, md5(id || 'r'), id, 1, account, account, 'POST', 'labor.example', '/mcp', 1, now(), 200 from runs`,
  fires: `insert into fires (job, fire_at, status, run_id) select job, now() - make_interval(mins => row_number() over ()::int), 'run', id from runs`,
  responses: `insert into responses (run_id, turn, attempt, background) select id, 1, 1, true from runs`,
  idempotency_keys: `insert into idempotency_keys (owner, key, request_digest, run_id) select 'ann', id, 'd', id from runs`,
  deliveries: `insert into deliveries (id, run_id, attempt, target, status) select md5(id || 'd')::uuid, id, 1, '{}', 'delivered' from runs`,
  run_accounts: `insert into run_accounts (account_id, account, run_id, attempt, expires_at) select id, account, id, 1, now() from runs`,
  authorize_events: `insert into authorize_events (line_digest, occurrence, request_id, time, method, host, path, ip, user_id, account_id, allowed, reasons, matched_by, run_id)
    select md5(id), 1, md5(id || 'r'), now(), 'POST', 'labor.example', '/mcp', '::1', 'u', account, true, '{}', 'request-id', id from runs`,
  pruned_runs: `insert into pruned_runs (run_id) select 'old_' || id from runs`,
  alarms: `insert into alarms (id, body, sent_at) select md5(id || 'a')::uuid, '{}', now() from runs`,
})
