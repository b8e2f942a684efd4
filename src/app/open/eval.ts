import { rmSync } from 'node:fs'
import type { Logger } from 'pino'
import type { Config } from '../../config/load.ts'
import { caseFaults } from '../../eval/cases/cases.ts'
import type { EvalBench } from '../../eval/trial.ts'
import type { Offer } from '../../jobs/check.ts'
import { loadJobFiles, loadJobs, type LoadedJobs } from '../../jobs/directory.ts'
import { createJournalWriter } from '../../store/attempts/journal.ts'
import { loadConfiguredJobs } from './jobs.ts'
import { jobFilesNamed } from './named-files.ts'
import { openStore } from './store.ts'
import { createRunResources, offerOf } from '../resources.ts'
import { makeTemporary } from './temporary.ts'

/** What an evaluation works with. */
export interface Eval extends EvalBench, AsyncDisposable {
  jobs: LoadedJobs
  offer: Offer
}

/**
 * Opens a store of its own for the runs of an evaluation, which ends with it: no worker takes them, no schedule counts them, nothing of them is delivered. Accounts,
 * providers, prices and the gateway are those of the configuration.
 */
export async function openEval(config: Config, log: Logger): Promise<Eval> {
  await using building = new AsyncDisposableStack()
  const dir = makeTemporary('eval')
  building.defer(() => rmSync(dir, { recursive: true, force: true }))
  const offer = offerOf(config)
  const jobs = loadJobs(config.jobsDir, offer)
  const resources = createRunResources(config, building)
  const { db } = await openStore({ ...config, databaseUrl: undefined, dataDir: dir }, building, { ephemeral: true })
  const stack = building.move()
  return { db, journal: createJournalWriter(db), resources, log, jobs, offer, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/**
 * The jobs and their faults, with those of their files of cases, and what is to be changed in the configuration. `named`: these jobs or job files alone, and nothing of
 * the configuration. Throws `JOB_UNKNOWN`.
 */
export function checkJobs(config: Config, named: readonly string[] = []): LoadedJobs {
  const offer = offerOf(config)
  const isAll = named.length === 0
  const { jobs, issues, warnings } = isAll ? loadConfiguredJobs(config) : loadJobFiles(jobFilesNamed(config.jobsDir, named), offer)
  return { jobs, issues: [...issues, ...caseFaults(jobs.values(), offer)], warnings: [...(isAll ? config.notes : []), ...warnings] }
}
