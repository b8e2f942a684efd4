import { nearest, suggest } from '../lib/near.ts'
import { showFault } from './places.ts'
import type { ConfigValues } from './schema.ts'

/** Where the configuration names jobs that there are not, a line each: a ceiling or a role for a misspelt job would be none. */
export function unknownJobs(config: Pick<ConfigValues, 'budgets' | 'api'>, known: readonly string[]): string[] {
  const { budgets, api } = config
  const roles: [place: string[], grants: Record<string, { jobs?: readonly string[] | undefined }>][] = [
    [['api', 'tokens'], api?.tokens ?? {}],
    [['api', 'pomerium', 'users'], api?.pomerium?.users ?? {}],
    [['api', 'pomerium', 'groups'], api?.pomerium?.groups ?? {}],
  ]
  const named: [path: string[], job: string][] = [
    ...Object.keys(budgets.jobs).map((job): [string[], string] => [['budgets', 'jobs', job], job]),
    ...roles.flatMap(([place, grants]) =>
      Object.entries(grants).flatMap(([name, { jobs = [] }]) => jobs.map((job): [string[], string] => [[...place, name, 'jobs'], job])),
    ),
  ]
  return named
    .filter(([, job]) => !known.includes(job))
    .map(([path, job]) => showFault(config, path, `names ${job}, which is no job; ${suggest(job, known)}`))
}

/** Where the configuration names a server by a slip of the pen for one that a job uses, a line each: what it says is of no effect. */
export function misspeltServers(config: Pick<ConfigValues, 'servers'>, used: readonly string[]): string[] {
  const named = Object.keys(config.servers)
  return named.flatMap((server) => {
    const meant = used.includes(server)
      ? undefined
      : nearest(
          server,
          used.filter((one) => !named.includes(one)),
        )
    return meant === undefined ? [] : [showFault(config, ['servers', server], `is a server that no job uses; did you mean ${meant}?`)]
  })
}
