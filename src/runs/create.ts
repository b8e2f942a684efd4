import { v7 as uuidv7 } from 'uuid'
import { Failure } from '../core/failure.ts'
import { compileSchema } from '../core/json-schema.ts'
import type { Trigger } from '../core/run.ts'
import type { Job } from '../jobs/load.ts'
import { insertRun, type NewRun } from '../store/runs.ts'
import type { Db } from '../store/db.ts'

/** A new run of a job, checked. `INPUT_INVALID` when the input does not match; a job without an input schema takes none. */
export function newRun(job: Job, trigger: Trigger, input: unknown = {}): NewRun {
  const { definition } = job
  const fault = definition.input ? compileSchema(definition.input)(input) : isEmpty(input) ? undefined : 'the job takes no input'
  if (fault !== undefined) throw new Failure({ code: 'INPUT_INVALID', message: `The input of job ${job.name} is not valid: ${fault}.` })
  return { id: `run_${uuidv7()}`, job: job.name, jobVersion: job.version, account: definition.account, trigger, input }
}

const isEmpty = (input: unknown) => typeof input === 'object' && input !== null && Object.keys(input).length === 0

/** Inserts a run; the caller then wakes the queue. Returns its id. */
export async function createRun(db: Db, job: Job, trigger: Trigger, input?: unknown): Promise<string> {
  const run = newRun(job, trigger, input)
  await insertRun(db, run, job.definition)
  return run.id
}
