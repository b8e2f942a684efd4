import { Failure } from '../../../core/failure.ts'
import type { Job } from '../../../jobs/job.ts'
import { INSTRUCTIONS, lockFileOf, writeLock, type PinnedTool } from '../../../jobs/lock.ts'
import type { JobRegistry } from '../../../jobs/registry.ts'

export interface PinParts {
  jobs: Pick<JobRegistry, 'unpinned'>
  toolsToPin: (job: Job, signal: AbortSignal) => Promise<PinnedTool[]>
}

export interface Pinned {
  jobFile: string
  lockFile: string
  /** From what the lock file said before; empty when it says the same. */
  difference: string
  /** How many tools it holds. */
  tools: number
  /** The job has `pin: true`: its runs must match the lock file. */
  isPinned: boolean
}

/** Writes the lock file of a job, with its tools as their servers describe them now. `JOB_UNKNOWN` for a job that there is not, or whose file has faults. */
export async function pinJob({ jobs, toolsToPin }: PinParts, name: string, signal: AbortSignal): Promise<Pinned> {
  const job = jobs.unpinned(name)
  if (!job) throw new Failure({ code: 'JOB_UNKNOWN', message: `There is no job ${name}, or its file has faults.` })
  const tools = await toolsToPin(job, signal)
  return {
    jobFile: job.file,
    lockFile: lockFileOf(job.file),
    difference: writeLock(job.file, tools),
    tools: tools.filter(({ tool }) => tool !== INSTRUCTIONS).length,
    isPinned: job.definition.pin,
  }
}
