-- statement by statement
-- Few runs of others have tags, and only those that have are indexed.
drop index concurrently if exists runs_by_tags;
create index concurrently runs_by_tags on runs using gin (tags jsonb_path_ops) where tags <> '{}';
