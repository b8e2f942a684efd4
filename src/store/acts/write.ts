import type { Act, Actor } from '../../core/acts.ts'
import { storeText } from '../../lib/text.ts'
import type { Parameters } from '../postgres/parameters.ts'

/** An act as it is written. */
export interface NewAct {
  act: Act
  by: Actor
  /** What was said with it. */
  detail?: Readonly<Record<string, unknown>> | undefined
}

/** Who cancels, and what was said with it, such as the filter of the runs. */
export type Canceller = Actor & Pick<NewAct, 'detail'>

const textOrNull = (text: string | null | undefined) => (text === null || text === undefined ? null : storeText(text))

/**
 * The CTE `act`, in the statement that has the effect: a row when `done` is not empty. `done` is a CTE before it, of the runs that were changed, each with
 * id, job, and the conversation and attempt that it had then. A second statement of the same request or command adds its runs to the act.
 */
export function actUponRuns(add: Parameters['add'], act: NewAct, done: string): string {
  return `act as (
      ${insertAct(add, act, `array_agg(distinct job), count(*) from ${done} having count(*) > 0`)}
      on conflict (id) do update set runs = acts.runs + excluded.runs,
        jobs = array(select distinct j from unnest(acts.jobs || excluded.jobs) as j)
      returning id),
    run_act as (
      insert into run_acts (run_id, act_id, conversation, attempt)
      select d.id, act.id, d.conversation, d.attempt from act, ${done} d
      on conflict do nothing)`
}

/** The CTE `act` of one upon a job, in the statement that has the effect: a row when `done` is not empty, which has the job. */
export const actUponJob = (add: Parameters['add'], act: NewAct, done: string): string =>
  `act as (${insertAct(add, act, `array[job], 0 from ${done}`)})`

function insertAct(add: Parameters['add'], { act, by, detail = {} }: NewAct, jobsAndRuns: string): string {
  const values = [
    `${add(by.act)}::uuid`,
    `${add(act)}::text`,
    `${add(storeText(by.name))}::text`,
    `${add(by.role)}::text`,
    `${add(by.via)}::text`,
    `${add(textOrNull(by.origin))}::text`,
    `${add(textOrNull(by.requestId))}::text`,
    `${add(textOrNull(by.reason))}::text`,
    `${add(JSON.stringify(detail))}::json`,
  ]
  return `insert into acts (id, act, actor, role, via, origin, request_id, reason, detail, jobs, runs)
      select ${values.join(', ')}, ${jobsAndRuns}`
}
