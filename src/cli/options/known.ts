import { listJobNames, loadReadableJobs } from '../../app/open/jobs.ts'
import type { Config } from '../../config/load.ts'
import type { ConfiguredNames } from '../../runs/meant/names.ts'

/** The names that the configuration and the job files give, whatever else is wrong with the files. */
export function configuredNames(config: Config): ConfiguredNames {
  const { jobs } = loadReadableJobs(config)
  const { tokens = {}, pomerium } = config.api ?? {}
  return {
    // A file with a fault is no job, and yet its name is no slip.
    jobs: namesOf(config),
    definitions: [...jobs.values()],
    people: [...Object.keys(tokens).map((name) => `token:${name}`), ...Object.keys(pomerium?.users ?? {})],
  }
}

function namesOf(config: Config): string[] {
  try {
    return listJobNames(config)
  } catch {
    // Of a directory that cannot be read, other commands tell.
    return []
  }
}
