-- Why a run is not claimed, what a run waits for, and text out of foreign JSON.

-- Runs as a worker claims them. The claim takes a run without an obstacle; whoever is refused is told the same obstacle.
create view claims as
select r.id, r.job, r.job_version, r.account, r.status, r.trigger, r.input, r.conversation, r.attempts,
  -- The queue job that the running attempt came with.
  r.delivery as queue_job_id,
  r.heartbeat_at, r.started_at, r.next_attempt_at, r.cancel_requested_at, r.expire_at, r.created_at,
  r.held_by, r.held_at, r.holds,
  case
    -- It is over, or waits for a person.
    when r.status not in ('queued', 'running') then 'not-runnable'
    -- A worker has it. Whether its lease ran out is for the claim to say, by the lock time of the configuration.
    when r.status = 'running' then 'running'
    -- It is ended by whoever takes it, and not begun.
    when r.cancel_requested_at is not null then 'cancel-requested'
    -- Nobody took it in time. One that was begun in time goes on.
    when r.attempts = 0 and r.expire_at <= statement_timestamp() then 'expired'
    -- Its job, or everything, is paused.
    when exists (select 1 from pauses p where p.job in (r.job, '*')) then 'paused'
    -- A run of the same job must be over first (overlap: queue).
    when exists (select 1 from runs e where e.id = r.after_run and e.finished_at is null) then 'earlier-run'
    -- Its start, or its next try, is still to come.
    when r.next_attempt_at > statement_timestamp() then 'not-due'
  end as obstacle
from runs r;

-- What a waiting run waits for: {"kind": "connection", "account": …, "server": …}. Null for every other run.
alter table runs add column waits_for json;
create function connection_waited_for(account text, failure json) returns json stable language sql as
  $$ select json_build_object('kind', 'connection', 'account', account, 'server', coalesce(failure ->> 'server', '')) $$;
update runs set waits_for = connection_waited_for(account, failure) where status = 'waiting';

-- Workers of the version before write no waits_for: until the last of them is gone, the row says it for them.
create function keep_waits_for() returns trigger language plpgsql as $$
begin
  new.waits_for := case when new.status = 'waiting' then connection_waited_for(new.account, new.failure) end;
  return new;
end $$;
create trigger keep_waits_for before update of status on runs for each row
  when ((new.status = 'waiting') = (new.waits_for is null)) execute function keep_waits_for();

-- The text of a JSON string; null when it has characters that Postgres cannot hold as text.
create function text_of_json(value json) returns text immutable language plpgsql as $$
begin
  return value #>> '{}';
exception when untranslatable_character or invalid_text_representation then
  return null;
end $$;
