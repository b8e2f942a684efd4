import type pg from 'pg'
import type { ActView, RunActView } from '../../core/acts.ts'
import { ALL_JOBS } from '../../core/rules/schedules/pause.ts'
import { queryIso, type Db } from '../postgres/db.ts'
import { createParameters } from '../postgres/parameters.ts'

const ACT = 'a.id, a.at, a.act, a.actor as by, a.role, a.via, a.origin, a.request_id as "requestId", a.reason'

export interface ActFilter {
  /** Acts upon these jobs and their runs, and upon no others; undefined: all. */
  jobs?: readonly string[] | undefined
  /** Acts upon this job or its runs, and upon all jobs. */
  job?: string | undefined
  /** Acts upon this run. */
  run?: string | undefined
  by?: string | undefined
  /** Done at or after, and before. */
  since?: Date | undefined
  until?: Date | undefined
}

/** What people did, newest first; `before` is the id of an act: those that are older. */
export async function listActs(
  db: Db,
  { jobs, job, run, by, since, until }: ActFilter,
  { limit, before }: { limit: number; before?: string | undefined },
): Promise<ActView[]> {
  const { add, values } = createParameters()
  const wanted = [
    ...(jobs ? [`a.jobs <@ ${add(jobs)}::text[]`] : []),
    ...(job === undefined ? [] : [`a.jobs && ${add([job, ALL_JOBS])}::text[]`]),
    ...(run === undefined ? [] : [`a.id in (select ra.act_id from run_acts ra where ra.run_id = ${add(run)})`]),
    ...(by === undefined ? [] : [`a.actor = ${add(by)}`]),
    ...(since === undefined ? [] : [`a.at >= ${add(since)}`]),
    ...(until === undefined ? [] : [`a.at < ${add(until)}`]),
    ...(before === undefined ? [] : [`(a.at, a.id) < (select o.at, o.id from acts o where o.id = ${add(before)}::uuid)`]),
  ]
  return queryIso<ActView & { id: string }>(
    db,
    `select ${ACT}, a.jobs, a.detail, a.runs from acts a
     where ${wanted.length > 0 ? wanted.join(' and ') : 'true'}
     order by a.at desc, a.id desc limit ${add(limit)}`,
    values,
  )
}

/** What people did to a run, in order. */
export const loadRunActs = (client: pg.PoolClient, runId: string): Promise<RunActView[]> =>
  queryIso<RunActView & { id: string }>(
    client,
    `select ${ACT}, ra.conversation, ra.attempt from run_acts ra join acts a on a.id = ra.act_id
     where ra.run_id = $1 order by ra.conversation, ra.attempt, a.at, a.id`,
    [runId],
    'show acts',
  )
