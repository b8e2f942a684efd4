import { describeFailure, Failure, withoutRetry, type FailureRecord } from '../core/failure.ts'
import type { RunView } from '../core/view.ts'
import { createJob, type Job } from '../jobs/job.ts'
import type { JobRegistry } from '../jobs/registry.ts'
import { queueRun, type RunParts } from '../runs/create.ts'
import { requireJob } from '../runs/lookup.ts'
import { lookAt, type RunningDevServer } from './look.ts'

type Servers = ReadonlyMap<string, RunningDevServer>

/** Whoever watches tries again when it is mended: no attempt comes by itself. */
const ATTEMPTS = 1

/**
 * The job as it is run here: once, and by the worker, since a provider elsewhere does not reach this gateway. `written`: as its file has it. Throws `COMMAND_INVALID` when a server
 * that it needs was not named.
 */
export function jobToTry(jobs: JobRegistry, name: string, servers: Servers): { job: Job; written: Job; notes: string[] } {
  const written = requireJob(jobs.jobs(), name, jobs.issues())
  const { definition } = written
  const missing = Object.entries(definition.tools).flatMap(([server, { required }]) => (required && !servers.has(server) ? [server] : []))
  if (missing.length > 0)
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The job ${name} needs the server ${missing.join(' and the server ')}, and it is not said where to find it.`,
      cure: `Add --mcp ${missing[0] ?? ''}=http://127.0.0.1:8000/mcp, or put it under servers: of config/dev.yaml.`,
    })
  const retry = { ...definition.retry, attempts: ATTEMPTS }
  const job = createJob({ ...written, definition: { ...definition, retry, delegate: 'local' } })
  const notes =
    definition.delegate === 'local'
      ? []
      : ['It is hosted; here the worker calls the servers, since a provider elsewhere does not reach this machine.']
  return { job, written, notes }
}

/** Looks whether the servers of a job answer. Throws `COMMAND_INVALID` with the cause for the first that it needs and that does not; tells of the others. */
export async function lookAtServers(job: Job, servers: Servers, tell: (note: string) => void, signal: AbortSignal): Promise<void> {
  for (const [name, { required }] of Object.entries(job.definition.tools)) {
    const server = servers.get(name)
    if (!server) continue
    try {
      await lookAt(server, { signal, onSlow: () => tell(`waiting for the server ${name} to answer`) })
    } catch (error) {
      if (required || !(error instanceof Failure)) throw error
      tell(describeFailure(error))
    }
  }
}

/** A note on each program of a job's servers that ended by itself since it was looked at. */
export const crashNotes = (job: Job, servers: Servers): string[] =>
  Object.keys(job.definition.tools)
    .filter((name) => servers.get(name)?.program?.fault() !== undefined)
    .map((name) => `the program of ${name} ended by itself; what it wrote stands above`)

/** Queues a run of it as a person asks for one. */
export const tryJob = (parts: RunParts, job: Job, input: Record<string, unknown>): Promise<string> =>
  queueRun(parts, job, { trigger: { kind: 'cli' }, input, requestedBy: 'dev' })

/** The failure of such a run: it is gone when the command is, so that there is none to retry. */
export const failureOf = ({ id, failure }: Pick<RunView, 'id' | 'failure'>): FailureRecord | undefined =>
  failure ? withoutRetry(failure, ATTEMPTS, id) : undefined
