-- What an attempt had come to is kept as it was decided when its run goes on, whichever version of the program lets it: lines that were found since are no part of it, and it is signed.
-- Stable: the end of the run is read as it is before the statement.
create function keep_decided_reasons() returns trigger language plpgsql stable as $$
begin
  new.reasons := coalesce((select (r.ended_as ->> 'reasons')::json from runs r where r.id = new.run_id), new.reasons);
  return new;
end $$;

create trigger attempt_keeps_reasons before update of reasons on attempts for each row
  when (old.reasons is null and new.reasons is not null) execute function keep_decided_reasons();
