import { v7 as uuidv7 } from 'uuid'
import { digestOf } from '../lib/hash/digest.ts'
import { firstWake, type Waker } from '../core/ports/wake.ts'
import { Failure, messageOf } from '../core/failure.ts'
import { compileSchema } from '../lib/schema/json-schema.ts'
import { PRIORITIES, type Priority, type Trigger, type Tags } from '../core/run.ts'
import type { Job } from '../jobs/job.ts'
import type { Db } from '../store/postgres/db.ts'
import { insertRun, type NewRun } from '../store/runs/insert.ts'

/** The store, and the queue that wakes workers. */
export interface RunParts {
  db: Db
  producer: Pick<Waker, 'wakeSoon'>
}

/** What is asked of a job. */
export interface RunRequest {
  trigger: Trigger
  input?: unknown
  requestedBy?: string | undefined
  /** Undefined: those of the run that it retries, if it does. */
  tags?: Tags | undefined
  priority?: Priority | undefined
  /** Not before. */
  startAt?: Date | undefined
  /** Not after: a run that no worker took by then fails with `EXPIRED`. */
  expireAt?: Date | undefined
  retryOf?: string | undefined
}

/** A new run of a job, checked. `INPUT_INVALID` when the input does not match; a job without an input schema takes none. */
export function newRun(job: Job, { trigger, input = {}, ...request }: RunRequest): NewRun {
  const { definition } = job
  const filled = filledInput(definition, input)
  const fault = inputFault(definition, filled) ?? unportable(filled)
  if (fault !== undefined) throw new Failure({ code: 'INPUT_INVALID', message: `The input of job ${job.name} is not valid: ${fault}.` })
  return { id: `run_${uuidv7()}`, job: job.name, jobVersion: job.version, account: definition.account, trigger, input: filled, ...request }
}

/** An input with what the job's schema has a `default` for where it says nothing: the run keeps it so, whatever the job says later. */
export const filledInput = ({ input: schema }: Job['definition'], given: unknown): unknown =>
  schema ? compileSchema(schema).filled(given) : given

/** Why an input, as it is, does not match the job's schema; a job without one takes an empty input alone. */
export function inputFault({ input: schema }: Job['definition'], input: unknown): string | undefined {
  if (schema) return compileSchema(schema)(input)
  return isEmpty(input) ? undefined : 'the job takes no input'
}

const isEmpty = (input: unknown) => typeof input === 'object' && input !== null && Object.keys(input).length === 0

/** Numbers and texts that JSON can write and other systems cannot read (RFC 7493): they would not be kept as they are. */
function unportable(input: unknown): string | undefined {
  try {
    digestOf(input)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

/** Inserts a run; the caller then wakes the queue. */
export async function createRun(db: Db, job: Job, request: RunRequest): Promise<string> {
  const run = newRun(job, request)
  await insertRun(db, run, job.kept)
  return run.id
}

/** Inserts a run and wakes the queue for it. Returns its id. */
export async function queueRun({ db, producer }: RunParts, job: Job, request: RunRequest): Promise<string> {
  const id = await createRun(db, job, request)
  producer.wakeSoon([wakeOf(id, request)])
  return id
}

/** The first wake of a run, as its request says when it may start. */
export const wakeOf = (id: string, { startAt, priority }: Pick<RunRequest, 'startAt' | 'priority'>) =>
  firstWake(id, priority && PRIORITIES[priority], startAt && startAt.getTime() - Date.now())

/** What an idempotency key stands for: a job's name and what was asked of it. `INPUT_INVALID` for an input that JSON could not keep as it is. */
export function requestDigest(job: string, { input = {}, tags, priority, startAt, expireAt, retryOf }: RunRequest): string {
  const fault = unportable(input)
  if (fault !== undefined) throw new Failure({ code: 'INPUT_INVALID', message: `The input of job ${job} is not valid: ${fault}.` })
  return digestOf({ job, input, tags, priority, startAt: startAt?.toISOString(), expireAt: expireAt?.toISOString(), retryOf })
}
