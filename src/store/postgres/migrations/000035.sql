-- Requests that the API served behind the gateway: their lines in its log are of whoever called.
create table served_requests (
  request_id text primary key,
  host text not null,
  served_at timestamptz not null default now()
);
create index served_requests_by_time on served_requests (served_at);
