import type { FinalStatus } from '../core/run.ts'
import { query, type Db } from './postgres/db.ts'

/** How long runs are kept after they ended, in milliseconds, by status; a status that is left out is kept for ever. */
export type Retention = Readonly<Partial<Record<FinalStatus, number | undefined>>>

/** What `retention:` of the configuration says. */
export interface Keep {
  content: Retention
  metadata: Retention
  /** How long lines of Pomerium's log are kept, in milliseconds; for ever when not given. */
  log?: number | undefined
}

export interface Pruned {
  /** Runs whose content was taken out, and that are gone. */
  content: number
  metadata: number
  /** Lines of Pomerium's log. */
  log: number
}

const BATCH = 500

/** The condition for runs whose time is over. */
const OVER = `finished_at is not null and finished_at < now() - make_interval(secs => (select k.ms / 1000.0 from unnest($1::text[], $2::float8[]) as k(status, ms) where k.status = runs.status))`

const valuesOf = (retention: Retention) => {
  const kept = Object.entries(retention).flatMap(([status, ms]) => (ms === undefined ? [] : [[status, ms] as const]))
  return [kept.map(([status]) => status), kept.map(([, ms]) => ms)]
}

/** How many runs `prune` would change. */
export async function countPrunable(db: Db, { content, metadata, log }: Keep): Promise<Pruned> {
  const [contents] = await query<{ n: number }>(
    db,
    `select count(*)::int as n from runs where pruned_at is null and ${OVER}`,
    valuesOf(content),
  )
  const [all] = await query<{ n: number }>(db, `select count(*)::int as n from runs where ${OVER}`, valuesOf(metadata))
  const [lines] = await query<{ n: number }>(db, `select count(*)::int as n from authorize_events where ${olderThan('time')}`, [
    log ?? null,
  ])
  return { content: contents?.n ?? 0, metadata: all?.n ?? 0, log: lines?.n ?? 0 }
}

/** Takes content out of old runs, then removes older ones, and old lines of the log, a batch at a time: no long lock, and it can be stopped in between. */
export async function prune(db: Db, { content, metadata, log }: Keep, signal?: AbortSignal): Promise<Pruned> {
  const pruned: Pruned = { content: 0, metadata: 0, log: 0 }
  const until = async (work: () => Promise<number>, add: (n: number) => void) => {
    for (;;) {
      signal?.throwIfAborted()
      const n = await work()
      add(n)
      if (n < BATCH) return
    }
  }
  await until(
    () => takeContent(db, content),
    (n) => (pruned.content += n),
  )
  await until(
    () => remove(db, metadata),
    (n) => (pruned.metadata += n),
  )
  await until(
    () => removeOld(db, LINES, log),
    (n) => (pruned.log += n),
  )
  await until(
    () => removeOld(db, REQUESTS, log),
    () => {},
  )
  return pruned
}

/** Removes prompts, arguments, results and outputs. Keeps the run, its calls by name, times, status and usage. */
async function takeContent(db: Db, retention: Retention): Promise<number> {
  const rows = await query<{ n: number }>(
    db,
    `with old as (select id from runs where pruned_at is null and ${OVER} order by finished_at limit ${BATCH} for update skip locked),
     turns_done as (update turns set items = '[]' where run_id in (select id from old)),
     calls_done as (update tool_calls set arguments = 'null', result = null where run_id in (select id from old)),
     params_done as (update authorize_events set params = null where run_id in (select id from old)),
     attempts_done as (update attempts set output = null, output_text = null, prompt = null, instructions = null where run_id in (select id from old)),
     done as (update runs set input = '{}', output = null, output_text = null, words = null, pruned_at = now() where id in (select id from old) returning 1)
     select count(*)::int as n from done`,
    valuesOf(retention),
  )
  return rows[0]?.n ?? 0
}

async function remove(db: Db, retention: Retention): Promise<number> {
  const rows = await query<{ n: number }>(
    db,
    `with old as (select id from runs where ${OVER} order by finished_at limit ${BATCH} for update skip locked),
     noted as (insert into pruned_runs (run_id) select id from old on conflict do nothing),
     done as (delete from runs where id in (select id from old) returning 1)
     select count(*)::int as n from done`,
    valuesOf(retention),
  )
  return rows[0]?.n ?? 0
}

/** Without an age, nothing is old. */
const olderThan = (column: string) => `${column} < now() - make_interval(secs => $1::float8 / 1000.0)`

async function removeOld(
  db: Db,
  { table, key, where }: { table: string; key: string; where: string },
  log: number | undefined,
): Promise<number> {
  if (log === undefined) return 0
  const rows = await query(
    db,
    `delete from ${table} where ${key} in (select ${key} from ${table} where ${where} limit ${BATCH} for update skip locked) returning 1`,
    [log],
  )
  return rows.length
}

const LINES = { table: 'authorize_events', key: 'id', where: olderThan('time') }
/** Requests that belong to no run are kept for the sake of their lines alone, and go after those. */
const REQUESTS = { table: 'gateway_requests', key: 'request_id_sent', where: `run_id is null and ${olderThan('sent_at')}` }
