import type { FinalStatus } from '../core/run.ts'
import { createBadRows, isOfRow, type BadRowLog } from './bad-rows.ts'
import { slowQuery, type Db } from './postgres/db.ts'

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

/** The condition for runs of the status $1 that ended $2 ms ago or more. One whose report is still to be sent is kept: it is made of the run. */
const OVER = `status = $1 and finished_at < now() - make_interval(secs => $2::float8 / 1000.0)
  and not exists (select 1 from deliveries d where d.run_id = runs.id and d.status = 'pending')`
const WITH_CONTENT = `${OVER} and pruned_at is null`

type Kept = readonly (readonly [status: string, ms: number])[]

const entriesOf = (retention: Retention): Kept =>
  Object.entries(retention).flatMap(([status, ms]) => (ms === undefined ? [] : [[status, ms] as const]))

/** How many runs `prune` would change. */
export async function countPrunable(db: Db, { content, metadata, log }: Keep): Promise<Pruned> {
  const count = async (condition: string, values: unknown[]) => {
    const [row] = await slowQuery<{ n: number }>(db, `select count(*)::int as n from ${condition}`, values)
    return row?.n ?? 0
  }
  const countAll = async (condition: string, kept: Kept) => {
    let n = 0
    for (const [status, ms] of kept) n += await count(`runs where ${condition}`, [status, ms])
    return n
  }
  return {
    content: await countAll(WITH_CONTENT, entriesOf(content)),
    metadata: await countAll(OVER, entriesOf(metadata)),
    log: log === undefined ? 0 : await count(`authorize_events where ${olderThan('time')}`, [log]),
  }
}

/**
 * Takes content out of old runs, then removes older ones, and old lines of the log, a batch at a time: no long lock, and it can be stopped in between. A row that
 * cannot be changed stays as it is, and all others go.
 */
export async function prune(db: Db, { content, metadata, log }: Keep, signal?: AbortSignal, errors?: BadRowLog): Promise<Pruned> {
  const pruned: Pruned = { content: 0, metadata: 0, log: 0 }
  const rows = createBadRows({ db, duty: 'retention', log: errors })

  async function inBatches({ find, change, values }: Step & { values: unknown[] }, add: (n: number) => void): Promise<void> {
    const bad: string[] = []
    const changeSome = async (ids: readonly string[] | null) => {
      const { length } = await slowQuery(db, change, [...values, ids, bad])
      add(length)
      return length
    }
    for (;;) {
      signal?.throwIfAborted()
      try {
        if ((await changeSome(null)) < BATCH) return
      } catch (error) {
        if (!isOfRow(error)) throw error
        const found = await slowQuery<{ id: string }>(db, find, [...values, null, bad])
        const met = await rows.pass(
          found.map(({ id }) => id),
          (id) => id,
          changeSome,
        )
        // The batch failed as a whole and none of its rows does: the next round tries again.
        if (met.length === 0) return
        bad.push(...met)
      }
    }
  }

  for (const kept of entriesOf(content)) await inBatches({ ...TAKE_CONTENT, values: [...kept] }, (n) => (pruned.content += n))
  for (const kept of entriesOf(metadata)) await inBatches({ ...REMOVE, values: [...kept] }, (n) => (pruned.metadata += n))
  if (log !== undefined) {
    await inBatches({ ...REMOVE_EVENTS, values: [log] }, (n) => (pruned.log += n))
    // Requests that belong to no run are kept for the sake of their lines alone, and go after those.
    await inBatches({ ...REMOVE_REQUESTS, values: [log] }, () => {})
  }
  return pruned
}

/** How a batch is found, and changed. Both are given the values of their condition, ids to be limited to (or null), and ids to leave out. */
interface Step {
  find: string
  change: string
}

/** Ids of a batch; `ids` and `except` are the places of those parameters. */
const batchOf = (table: string, key: string, type: string, condition: string, [ids, except]: [string, string], order = '') =>
  `select ${key}::text as id from ${table} where ${condition}
     and (${ids}::${type}[] is null or ${key} = any(${ids}::${type}[])) and ${key} <> all(${except}::${type}[])
   ${order} limit ${BATCH} for update skip locked`

const runsWhere = (condition: string) => batchOf('runs', 'id', 'text', condition, ['$3', '$4'], 'order by finished_at')

/** Removes input, prompts, arguments, results and outputs. Keeps the run, its calls by name, times, status and usage. */
const TAKE_CONTENT: Step = {
  find: runsWhere(WITH_CONTENT),
  change: `
  with old as (${runsWhere(WITH_CONTENT)}),
  turns_done as (update turns set items = '[]' where run_id in (select id from old)),
  calls_done as (update tool_calls set arguments = 'null', result = null where run_id in (select id from old)),
  params_done as (update authorize_events set params = null where run_id in (select id from old)),
  attempts_done as (
    update attempts set output = null, output_text = null, ending = null, mended = null, prompt = null, instructions = null
    where run_id in (select id from old))
  update runs set input = 'null', output = null, output_text = null, ending = null, mended = '[]', words = null, pruned_at = now()
  where id in (select id from old) returning 1`,
}

const REMOVE: Step = {
  find: runsWhere(OVER),
  change: `
  with old as (${runsWhere(OVER)}),
  noted as (insert into pruned_runs (run_id) select id from old on conflict do nothing)
  delete from runs where id in (select id from old) returning 1`,
}

/** Of what is older than $1 ms. */
const olderThan = (column: string) => `${column} < now() - make_interval(secs => $1::float8 / 1000.0)`

function removeOld(table: string, key: string, type: string, condition: string): Step {
  const find = batchOf(table, key, type, condition, ['$2', '$3'])
  return { find, change: `delete from ${table} where ${key} in (select id::${type} from (${find}) as old) returning 1` }
}

const REMOVE_EVENTS = removeOld('authorize_events', 'id', 'bigint', olderThan('time'))
const REMOVE_REQUESTS = removeOld('gateway_requests', 'request_id_sent', 'uuid', `run_id is null and ${olderThan('sent_at')}`)
