import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { Failure } from '../../core/failure.ts'
import { nearest } from '../../lib/near.ts'
import { showLine } from '../../lib/text.ts'
import { jobFilesIn } from '../../jobs/directory.ts'
import { nameOf } from '../../jobs/load.ts'

/** Characters of what somebody named. */
const MAX_NAMED = 200

/** The job files that are meant by names of jobs and by paths, each once; a file of cases or a lock file means its job. Throws `JOB_UNKNOWN`. */
export const jobFilesNamed = (dir: string, named: readonly string[]): string[] => [...new Set(named.flatMap((one) => filesNamed(dir, one)))]

function filesNamed(dir: string, named: string): string[] {
  if (/\.ya?ml$/.test(named)) {
    const found = [resolve(named), join(dir, named)].flatMap(jobFilesOf).find((path) => existsSync(path))
    if (found !== undefined) return [found]
  }
  const files = jobFilesIn(dir)
  const found = files.filter((path) => nameOf(path) === named)
  if (found.length > 0) return found
  const near = nearest(nameOf(named.slice(0, MAX_NAMED)), files.map(nameOf))
  throw new Failure({
    code: 'JOB_UNKNOWN',
    message: `There is no job and no job file ${showLine(named.slice(0, MAX_NAMED))}.`,
    ...(near !== undefined && { cure: `Did you mean ${near}?` }),
  })
}

/** The job files that a path may mean: itself, or those that it lies beside. */
function jobFilesOf(path: string): string[] {
  const beside = /^(.+)\.(?:cases|lock)\.yaml$/.exec(basename(path))?.[1]
  return beside === undefined ? [path] : ['yaml', 'yml'].map((ending) => join(dirname(path), `${beside}.${ending}`))
}
