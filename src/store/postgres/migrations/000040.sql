-- What a turn was asked with: who answered it at which service tier, what it wrote into the provider's cache, what it was for (null: the work itself),
-- and what of the conversation before it was put aside, so that a replay says the same.
alter table turns
  add column provider text,
  add column tier text,
  add column cache_write_tokens bigint,
  add column purpose text,
  add column context json;

-- Results that are too large to be shown in one piece, and what is no text, each once for its digest (SHA-256, hexadecimal). Calls name them in their result.
create table result_contents (
  digest text primary key,
  -- Before it was compressed.
  bytes bigint not null,
  media_type text not null,
  encoding text not null,
  content bytea not null,
  -- When a call last named it: what nobody has named for long, and no run refers to, is removed.
  named_at timestamptz not null default now()
);
-- Compressed before it is written.
alter table result_contents alter column content set storage external;

-- Which runs refer to them. The row is there before the content is named, so that no content is removed between.
create table run_contents (
  run_id text not null references runs (id) on delete cascade,
  digest text not null references result_contents (digest),
  primary key (run_id, digest)
);
create index run_contents_by_digest on run_contents (digest);
