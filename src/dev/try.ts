import { Failure } from '../core/failure.ts'
import { createJob, type Job } from '../jobs/job.ts'
import type { JobRegistry } from '../jobs/registry.ts'
import { queueRun, type RunParts } from '../runs/create.ts'
import { requireJob } from '../runs/require.ts'
import type { DevSettings } from './settings.ts'

/** The job as it is run here: by the worker, since a provider elsewhere does not reach this gateway. Throws `COMMAND_INVALID` when a server that it needs was not named. */
export function jobToTry(jobs: JobRegistry, name: string, servers: DevSettings['servers']): { job: Job; notes: string[] } {
  const job = requireJob(jobs.jobs(), name, jobs.issues())
  const { definition } = job
  const missing = Object.entries(definition.tools).flatMap(([server, { required }]) =>
    required && !Object.hasOwn(servers, server) ? [server] : [],
  )
  if (missing.length > 0)
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The job ${name} needs the server ${missing.join(' and the server ')}, and it is not said where to find it.`,
      cure: `Add --mcp ${missing[0] ?? ''}=http://127.0.0.1:8000/mcp, or put it under servers: of config/dev.yaml.`,
    })
  if (definition.delegate === 'local') return { job, notes: [] }
  const local = createJob({ ...job, definition: { ...definition, delegate: 'local' } })
  return { job: local, notes: ['It is hosted; here the worker calls the servers, since a provider elsewhere does not reach this machine.'] }
}

/** Queues a run of it as a person asks for one. */
export const tryJob = (parts: RunParts, job: Job, input: Record<string, unknown>): Promise<string> =>
  queueRun(parts, job, { trigger: { kind: 'cli' }, input, requestedBy: 'dev' })
