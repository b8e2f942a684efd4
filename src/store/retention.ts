import type { FinalStatus } from '../core/run.ts'
import { createBadRows, isOfRow, type BadRowLog } from './bad-rows.ts'
import { inBatches } from './batches.ts'
import { slowQuery, type Db } from './postgres/db.ts'
import { GONE_SCHEDULE } from './schedules/progress.ts'
import { removeVersions } from './versions.ts'

/** How long runs are kept after they ended, in milliseconds, by status; a status that is left out is kept for ever. */
export type Retention = Readonly<Partial<Record<FinalStatus, number | undefined>>>

/** What `retention:` of the configuration says. */
export interface Keep {
  content: Retention
  metadata: Retention
  /** How long lines of Pomerium's log, and what is kept for the sake of them, are kept, in milliseconds; for ever when not given. */
  log?: number | undefined
  /** The same for fires that made no run, or whose run is gone. */
  fires?: number | undefined
}

export interface Pruned {
  /** Runs whose content was taken out, and that are gone. */
  content: number
  metadata: number
  /** Lines of Pomerium's log. */
  log: number
  /** Fires without a run. */
  fires: number
}

/** A line of a request that the API served has been read by then, or is looked for in vain. */
const SERVED_MS = 3 * 86_400_000
/** Nothing reads what was spent on a day that is over; for so long whoever asks can. */
const SPENT_MS = 100 * 86_400_000

/** The condition for runs of the status $1 that ended $2 ms ago or more. One whose report is still to be sent is kept: it is made of the run. */
const OLD = `finished_at < now() - make_interval(secs => $2::float8 / 1000.0)
  and not exists (select 1 from deliveries d where d.run_id = runs.id and d.status = 'pending')`
/** One that stands otherwise since calls were found that its provider did not report is kept by what was decided and signed. */
const OVER = [`status = $1 and ended_as is null and ${OLD}`, `ended_as is not null and ended_as ->> 'status' = $1 and ${OLD}`]

const WITH_CONTENT = 'and pruned_at is null'

type Kept = readonly (readonly [status: string, ms: number])[]

const entriesOf = (retention: Retention): Kept =>
  Object.entries(retention).flatMap(([status, ms]) => (ms === undefined ? [] : [[status, ms] as const]))

/** How many runs `prune` would change. */
export async function countPrunable(db: Db, { content, metadata, log, fires }: Keep): Promise<Pruned> {
  const count = async (condition: string, values: unknown[]) => {
    const [row] = await slowQuery<{ n: number }>(db, `select count(*)::int as n from ${condition}`, values)
    return row?.n ?? 0
  }
  const countAll = async (more: string, kept: Kept) => {
    let n = 0
    for (const [status, ms] of kept) for (const over of OVER) n += await count(`runs where ${over} ${more}`, [status, ms])
    return n
  }
  return {
    content: await countAll(WITH_CONTENT, entriesOf(content)),
    metadata: await countAll('', entriesOf(metadata)),
    log: log === undefined ? 0 : await count(`authorize_events where ${olderThan('time')}`, [log]),
    fires: fires === undefined ? 0 : await count(`fires where ${OLD_FIRES}`, [fires]),
  }
}

/**
 * Takes content out of old runs, then removes older ones, old lines of the log, and what nothing needs any more, a batch at a time: no long lock, and it can be
 * stopped in between. A row that cannot be changed stays as it is, and all others go.
 */
export async function prune(db: Db, { content, metadata, log, fires }: Keep, signal?: AbortSignal, errors?: BadRowLog): Promise<Pruned> {
  const pruned: Pruned = { content: 0, metadata: 0, log: 0, fires: 0 }
  const rows = createBadRows({ db, duty: 'retention', log: errors })

  async function take({ find, change }: Step, values: unknown[]): Promise<number> {
    const bad: string[] = []
    let done = 0
    const changeSome = async (ids: readonly string[] | null, most: number) => {
      const { length } = await slowQuery(db, change, [...values, ids, bad, most])
      done += length
      return length
    }
    await inBatches(async (most) => {
      try {
        return await changeSome(null, most)
      } catch (error) {
        if (!isOfRow(error)) throw error
        const found = await slowQuery<{ id: string }>(db, find, [...values, null, bad, most])
        const met = await rows.pass(
          found.map(({ id }) => id),
          (id) => id,
          (ids) => changeSome(ids, most),
        )
        bad.push(...met)
        // The batch failed as a whole and none of its rows does: the next round tries again.
        return met.length === 0 ? 0 : most
      }
    }, signal)
    return done
  }

  for (const kept of entriesOf(content)) for (const step of TAKE_CONTENT) pruned.content += await take(step, [...kept])
  for (const kept of entriesOf(metadata)) for (const step of REMOVE) pruned.metadata += await take(step, [...kept])
  if (log !== undefined) {
    pruned.log += await take(REMOVE_EVENTS, [log])
    // What belongs to no run is kept for the sake of the lines alone, and goes after them.
    for (const step of AFTER_EVENTS) await take(step, [log])
  }
  if (fires !== undefined) pruned.fires += await take(REMOVE_FIRES, [fires])
  await take(REMOVE_SPENT, [SPENT_MS])
  await take(REMOVE_ENDED_ACCOUNTS, [SPENT_MS])
  await take(REMOVE_SCHEDULES, [AWAY_MS])
  await take(REMOVE_SERVED, [SERVED_MS])
  await take(REMOVE_CONTENTS, [UNNAMED_MS])
  await removeVersions(db, signal)
  return pruned
}

/** How a batch is found, and changed. Both are given the values of their condition, ids to be limited to (or null), ids to leave out, and how many they may be. */
interface Step {
  find: string
  change: string
}

/** Ids of a batch; `ids`, `except` and `most` are the places of those parameters. */
const batchOf = (table: string, key: string, type: string, condition: string, [ids, except, most]: [string, string, string], order = '') =>
  `select ${key}::text as id from ${table} where ${condition}
     and (${ids}::${type}[] is null or ${key} = any(${ids}::${type}[])) and ${key} <> all(${except}::${type}[])
   ${order} limit ${most} for update skip locked`

const runsWhere = (condition: string) => batchOf('runs', 'id', 'text', condition, ['$3', '$4', '$5'], 'order by finished_at')

/** Removes input, prompts, arguments, results and outputs. Keeps the run, its calls by name, times, status and usage. */
const TAKE_CONTENT = OVER.map((over): Step => ({
  find: runsWhere(`${over} ${WITH_CONTENT}`),
  change: `
  with old as (${runsWhere(`${over} ${WITH_CONTENT}`)}),
  turns_done as (update turns set items = '[]', told = null where run_id in (select id from old)),
  calls_done as (update tool_calls set arguments = 'null', result = null where run_id in (select id from old)),
  contents_done as (delete from run_contents where run_id in (select id from old)),
  params_done as (update authorize_events set params = null where run_id in (select id from old)),
  attempts_done as (
    update attempts set output = null, output_text = null, ending = null, mended = null, prompt = null, instructions = null
    where run_id in (select id from old))
  update runs set input = 'null', output = null, output_text = null, ending = null, mended = '[]', words = null, pruned_at = now()
  where id in (select id from old) returning 1`,
}))

const REMOVE = OVER.map((over): Step => ({
  find: runsWhere(over),
  change: `
  with old as (${runsWhere(over)}),
  noted as (insert into pruned_runs (run_id) select id from old on conflict do nothing)
  delete from runs where id in (select id from old) returning 1`,
}))

/** Of what is older than $1 ms. */
const olderThan = (column: string) => `${column} < now() - make_interval(secs => $1::float8 / 1000.0)`

function removeOld(table: string, key: string, type: string, condition: string): Step {
  const find = batchOf(table, key, type, condition, ['$2', '$3', '$4'])
  return { find, change: `delete from ${table} where ${key} = any(array(select id::${type} from (${find}) as old)) returning 1` }
}

/** Each was decided: what a schedule has come to stands elsewhere, and is never behind. */
const OLD_FIRES = `run_id is null and ${olderThan('fire_at')}`
const REMOVE_FIRES = removeOld('fires', 'ctid', 'tid', OLD_FIRES)
const REMOVE_EVENTS = removeOld('authorize_events', 'id', 'bigint', olderThan('time'))
const AFTER_EVENTS = [
  removeOld('gateway_requests', 'request_id_sent', 'uuid', `run_id is null and ${olderThan('sent_at')}`),
  removeOld('run_accounts', 'account_id', 'text', `run_id is null and ${olderThan('expires_at')}`),
  removeOld('alarms', 'id', 'uuid', olderThan('sent_at')),
  removeOld('log_gaps', 'id', 'bigint', olderThan('noticed_at')),
  removeOld('suspects', 'account_id', 'text', olderThan('acknowledged_at')),
]
const REMOVE_ENDED_ACCOUNTS = removeOld('run_account_ends', 'ctid', 'tid', olderThan('expires_at'))
const REMOVE_SERVED = removeOld('served_requests', 'ctid', 'tid', olderThan('served_at'))
/** A run names what it keeps at once. What it was about to name, and what another one has named meanwhile, is named anew, and stays. */
const UNNAMED_MS = 3_600_000
const REMOVE_CONTENTS = removeOld(
  'result_contents',
  'digest',
  'text',
  `${olderThan('named_at')} and not exists (select 1 from run_contents c where c.digest = result_contents.digest)`,
)
const REMOVE_SPENT = removeOld('budget_days', 'ctid', 'tid', olderThan('day'))
/** One that comes back after this time owes nothing, as one that was never there. */
const AWAY_MS = 30 * 86_400_000
const REMOVE_SCHEDULES = removeOld('schedule_progress', 'ctid', 'tid', `${olderThan('seen_at')} and ${GONE_SCHEDULE}`)
