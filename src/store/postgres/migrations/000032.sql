-- statement by statement
-- Requests of the last hour, of which those without a line are counted again and again.
drop index concurrently if exists gateway_requests_by_time;
create index concurrently gateway_requests_by_time on gateway_requests using brin (sent_at);
