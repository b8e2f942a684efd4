import { listJobNames, loadReadableJobs } from '../../app/open/jobs.ts'
import type { FoundStore, StorePlace } from '../../config/store/store-place.ts'
import type { ConfiguredNames } from '../../runs/meant/names.ts'

/** What there is of the configuration: its file may have a fault. */
export type Configured = Pick<FoundStore, 'place' | 'config'>

/** The names that the configuration and the job files give, whatever else is wrong with the files. */
export function configuredNames({ place, config }: Configured): ConfiguredNames {
  const { jobs } = loadReadableJobs(config)
  const { tokens = {}, pomerium } = config?.api ?? {}
  return {
    // A file with a fault is no job, and yet its name is no slip.
    jobs: namesOf(place),
    definitions: [...jobs.values()],
    people: [...Object.keys(tokens).map((name) => `token:${name}`), ...Object.keys(pomerium?.users ?? {})],
  }
}

function namesOf(place: StorePlace): string[] {
  try {
    return listJobNames(place)
  } catch {
    // Of a directory that cannot be read, other commands tell.
    return []
  }
}
