-- Whose an event of Pomerium's log is, and until when one that nothing explains may still be explained.

-- The name here of an account id: as the configuration has it now, or as it was when a request of ours was made with it. Null: none of ours.
create function account_of(id text, our_ids text[], our_names text[]) returns text stable language sql as $$
  select coalesce(
    our_names[array_position(our_ids, id)],
    (select a.account from run_accounts a where a.account_id = id),
    (select g.account from gateway_requests g where g.account_id = id order by g.sent_at limit 1))
$$;

-- Events that nothing explains. It is too early to say so of one before `explainable_until`, whatever the grace time is counted from.
create view unexplained_events as
select e.id, e.time, e.request_id, e.account_id, e.method, e.host, e.path, e.ip, e.mcp_method, e.mcp_tool,
  e.run_header, e.allowed, e.alerted_at,
  greatest(
    e.time,
    -- The provider of a hosted run may report the call until the run is over.
    (select case when r.status = 'running' then 'infinity' else r.finished_at end
     from runs r join job_versions v on v.job = r.job and v.version = r.job_version
     where v.definition ->> 'delegate' = 'hosted' and r.id = coalesce(
       e.run_header, (select a.run_id from run_accounts a where a.account_id = e.account_id))),
    -- A request like it is under way, whose returned id is not known before its answer.
    (select 'infinity'::timestamptz
     from gateway_requests g join attempts a on a.run_id = g.run_id and a.number = g.attempt
     where g.account_id = e.account_id and g.method = e.method and split_part(lower(g.host), ':', 1) = e.host
       and g.sent_at between e.time - interval '1 minute' and e.time + interval '1 minute'
       and g.request_id is null and g.status is null and g.error is null and a.finished_at is null
       and not exists (select 1 from authorize_events m where m.gateway_request = g.request_id_sent)
     limit 1)
  ) as explainable_until
from authorize_events e
where e.matched_by is null and e.account_id is not null;
