-- When a token of the API was used last, by its digest: a token that is replaced under the same name is another one.
create table api_tokens (
  sha256 text primary key,
  used_at timestamptz not null default now()
);
