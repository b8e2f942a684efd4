import { misspelt, unknownJobs } from '../../config/names/of-jobs.ts'
import type { Config } from '../../config/load.ts'
import { showFault } from '../../config/places.ts'
import { describeFailure, Failure, messageOf, toFailure } from '../../core/failure.ts'
import { jobNames, loadJobs, type LoadedJobs } from '../../jobs/directory.ts'
import type { Job } from '../../jobs/job.ts'
import { offerOf } from '../resources.ts'

/** Reads the job files against what the configuration offers; needs no database. */
export function loadConfiguredJobs(config: Config): LoadedJobs {
  const loaded = loadJobsOf(config)
  // Only when no file has a fault: a job whose file has one is not loaded, and its name would look unknown.
  if (loaded.issues.length > 0) return loaded
  const jobs = [...loaded.jobs.values()]
  return {
    ...loaded,
    issues: unknownJobs(
      config,
      jobs.map(({ name }) => name),
    ),
    warnings: [...loaded.warnings, ...misspelt(config, jobs)],
  }
}

/**
 * The same where job files that cannot be read take nothing from what else there is to see: that they cannot is one of the issues. Without a configuration none can be read, of
 * which its own fault tells.
 */
export function loadReadableJobs(config: Config | undefined): Pick<LoadedJobs, 'jobs' | 'issues'> {
  if (config === undefined) return { jobs: new Map(), issues: [] }
  try {
    return loadConfiguredJobs(config)
  } catch (error) {
    return { jobs: new Map(), issues: [describeFailure(toFailure(error))] }
  }
}

/** The names that job files give their jobs, without a look into the files. */
export const listJobNames = ({ jobsDir }: Pick<Config, 'jobsDir'>): string[] => jobNames(jobsDir)

function loadJobsOf(config: Config): LoadedJobs {
  try {
    return loadJobs(config.jobsDir, offerOf(config))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const { code, cure, cause } = error
    const message = `${showFault(config, ['jobsDir'], `names a directory that cannot be read: ${messageOf(cause)}`)}.`
    throw new Failure({ code, message, cure, cause })
  }
}

/** Throws `CONFIG_INVALID` when the configuration names jobs that do not exist. */
export function requireKnownJobs(config: Config, jobs: ReadonlyMap<string, Job>): void {
  const faults = unknownJobs(config, [...jobs.keys()])
  if (faults.length > 0)
    throw new Failure({ code: 'CONFIG_INVALID', message: `The configuration names jobs that there are not:\n  ${faults.join('\n  ')}\n` })
}
