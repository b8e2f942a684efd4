import { ALL_JOBS } from '../core/rules/schedules/pause.ts'
import { storeText } from '../lib/text.ts'
import { query, type Db } from './postgres/db.ts'

/** Names that runs and acts have. */
export interface UsedNames {
  jobs: string[]
  /** Who asked for a run, or did something to one. */
  people: string[]
  /** `server.tool` */
  tools: string[]
  /** `name=value` */
  tags: string[]
}

/** So many of the newest runs, and of the newest acts, are read for their names. */
const NEWEST = 1000

/** Something was done to a job, or to a run of it, or somebody did something. */
export async function isOfActs(db: Db, { job, by }: { job?: string | undefined; by?: string | undefined }): Promise<boolean> {
  const rows = await query(
    db,
    `select 1 from acts where $1::text <> '${ALL_JOBS}' and jobs @> array[$1::text] or actor = $2::text limit 1`,
    [job ?? null, by ?? null].map((name) => name && storeText(name)),
    'is of acts',
  )
  return rows.length > 0
}

/** Names of the newest runs and acts: what a person may have meant who wrote another one. */
export async function listUsedNames(db: Db): Promise<UsedNames> {
  const [names] = await query<UsedNames>(
    db,
    `with newest as materialized (select job, requested_by, tools, tags from runs order by id desc limit ${NEWEST}),
       done as materialized (select actor, jobs from acts order by at desc, id desc limit ${NEWEST})
     select array(select job from newest union select job from done, unnest(jobs) as job where job <> '${ALL_JOBS}' order by 1) as jobs,
       array(select requested_by from newest where requested_by is not null union select actor from done order by 1) as people,
       array(select distinct tool from newest, unnest(tools) as tool order by 1) as tools,
       array(select distinct key || '=' || value from newest, jsonb_each_text(tags) order by 1) as tags`,
  )
  return names ?? { jobs: [], people: [], tools: [], tags: [] }
}
