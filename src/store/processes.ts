import { LATELY_MS, SILENT_AFTER_MS } from '../core/duties.ts'
import type { ConfigState } from '../core/ports/config-state.ts'
import { storeText } from '../lib/text.ts'
import { query, queryIso, type Db } from './postgres/db.ts'

/** How the configuration of a process stands to its file. */
export type ProcessConfig = Pick<ConfigState, 'digest' | 'waiting' | 'fault'>

/** A process of Nightshift, as it says itself. */
export interface ProcessSelf {
  /** Host, process id and a random part. */
  name: string
  /** What it was started for, such as `worker`. */
  role: string
  version: string
  /** Most runs that it does at a time; null: it does none, or a program of before does not say it. */
  slots: number | null
}

/** A duty of a process; ages in ms. */
export interface DutyNote {
  duty: string
  everyMs: number
  startedAgoMs: number
  succeededAgoMs: number | undefined
  failedAgoMs: number | undefined
  /** What the last round that failed met. */
  reason: string | undefined
}

const SILENT = `interval '${SILENT_AFTER_MS / 1000} seconds'`
/** Rows of processes that ended without a word are shown for a day. */
const FORGOTTEN_AFTER = "interval '1 day'"
const MAX_REASON = 2000
const MAX_PROCESSES = 500

const ageOf = (column: string) => `extract(epoch from now() - ${column})::float8 * 1000`
const before = (age: string) => `now() - make_interval(secs => ${age} / 1000)`

/** How a process is. */
export interface ProcessNote {
  duties: readonly DutyNote[]
  /** By how many ms its clock is ahead of the store's. */
  skewMs: number
  config: ProcessConfig | null
}

/** Writes that a process is at work, and how it is. */
export async function noteProcess(
  db: Db,
  { name, role, version, slots }: ProcessSelf,
  { duties, skewMs, config }: ProcessNote,
): Promise<void> {
  const column = <Value>(pick: (duty: DutyNote) => Value | undefined) => duties.map((duty) => pick(duty) ?? null)
  await query(
    db,
    `with gone as (delete from processes where seen_at < now() - ${FORGOTTEN_AFTER}),
     me as (
       insert into processes (name, role, version, skew_ms, slots, config) values ($1, $2, $3, $10, $11, $12)
       on conflict (name) do update set seen_at = now(), skew_ms = excluded.skew_ms, config = excluded.config returning name)
     insert into duties (process, duty, every_ms, started_at, succeeded_at, failed_at, reason)
     select me.name, d.duty, d.every, ${before('d.started')}, ${before('d.succeeded')}, ${before('d.failed')}, d.reason
     from me, unnest($4::text[], $5::int[], $6::float8[], $7::float8[], $8::float8[], $9::text[]) as d (duty, every, started, succeeded, failed, reason)
     on conflict (process, duty) do update
       set succeeded_at = excluded.succeeded_at, failed_at = excluded.failed_at, reason = excluded.reason`,
    [
      name,
      role,
      version,
      column(({ duty }) => duty),
      column(({ everyMs }) => Math.round(everyMs)),
      column(({ startedAgoMs }) => startedAgoMs),
      column(({ succeededAgoMs }) => succeededAgoMs),
      column(({ failedAgoMs }) => failedAgoMs),
      column(({ reason }) => reason && storeText(reason.slice(0, MAX_REASON))),
      skewMs,
      slots,
      config && JSON.stringify(config),
    ],
    'note process',
  )
}

/** A process that ends in order is not missed. */
export async function forgetProcess(db: Db, name: string): Promise<void> {
  await query(db, 'delete from processes where name = $1', [name])
}

export interface KnownProcess extends ProcessSelf {
  startedAt: string
  seenAt: string
  /** How long ago it wrote, in ms; by the store's clock. */
  heardAgoMs: number
  /** It missed no two beats. One that did is gone, or hangs. */
  alive: boolean
  /** How far its clock is ahead of the store's, in ms; null when it does not say. */
  skewMs: number | null
  /** Runs that it has under way. */
  runs: number
  /** Null when it does not say. */
  config: ProcessConfig | null
}

/** Processes that are at work, or that ended without a word in the last day; those that were heard of last first. */
export async function listProcesses(db: Db): Promise<KnownProcess[]> {
  return queryIso<KnownProcess & { name: string }>(
    db,
    `with at_work as (select worker, count(*)::int as runs from attempts where finished_at is null group by worker)
     select name, role, version, slots, started_at as "startedAt", seen_at as "seenAt", greatest(round(${ageOf('seen_at')}), 0) as "heardAgoMs", seen_at > now() - ${SILENT} as alive, skew_ms as "skewMs", config,
       coalesce(at_work.runs, 0) as runs
     from processes left join at_work on worker = name order by seen_at desc, name limit ${MAX_PROCESSES}`,
  )
}

export interface KnownDuty extends DutyNote {
  process: string
  succeededAt: Date | null
}

/** What the processes that are at work do in the background. */
export async function listDuties(db: Db): Promise<KnownDuty[]> {
  const rows = await query<{
    process: string
    duty: string
    everyMs: number
    startedAgoMs: number
    succeededAgoMs: number | null
    failedAgoMs: number | null
    reason: string | null
    succeededAt: Date | null
  }>(
    db,
    `select d.process, d.duty, d.every_ms as "everyMs", ${ageOf('d.started_at')} as "startedAgoMs", ${ageOf('d.succeeded_at')} as "succeededAgoMs",
       ${ageOf('d.failed_at')} as "failedAgoMs", d.reason, d.succeeded_at as "succeededAt"
     from duties d join processes p on p.name = d.process where p.seen_at > now() - ${SILENT} order by d.duty, d.process`,
  )
  return rows.map(({ succeededAgoMs, failedAgoMs, reason, ...row }) => ({
    ...row,
    succeededAgoMs: succeededAgoMs ?? undefined,
    failedAgoMs: failedAgoMs ?? undefined,
    reason: reason ?? undefined,
  }))
}

/** Those that are at work and take runs: each writes the heartbeat of its runs. */
export function workersAmong(processes: readonly KnownProcess[], duties: readonly KnownDuty[]): KnownProcess[] {
  const beating = new Set(duties.filter(({ duty }) => duty === 'heartbeat').map(({ process }) => process))
  return processes.filter(({ name, alive }) => alive && beating.has(name))
}

/** Workers that were heard of lately and missed their beats since. */
export const silentAmong = (processes: readonly KnownProcess[]): KnownProcess[] =>
  processes.filter(({ role, alive, heardAgoMs }) => !alive && heardAgoMs < LATELY_MS && (role === 'all' || role === 'worker'))
