-- Ends of before, as far as they are known: those that came with the end of an attempt.
insert into run_ends (run_id, conversation, status, failure, reasons, finished_at)
select distinct on (run_id, conversation) run_id, conversation, status, failure, reasons, finished_at
from attempts
where reasons is not null and finished_at is not null and status in ('succeeded', 'incomplete', 'failed', 'cancelled')
order by run_id, conversation, number desc
on conflict do nothing;
