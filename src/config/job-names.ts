import type { ConfigValues } from './schema.ts'

/** Where the configuration names jobs that there are not, a line each: a ceiling or a role for a misspelt job would be none. */
export function unknownJobs({ budgets, api }: Pick<ConfigValues, 'budgets' | 'api'>, known: readonly string[]): string[] {
  const roles: [place: string, grants: Record<string, { jobs?: readonly string[] | undefined }>][] = [
    ['api.tokens', api?.tokens ?? {}],
    ['api.pomerium.users', api?.pomerium?.users ?? {}],
    ['api.pomerium.groups', api?.pomerium?.groups ?? {}],
  ]
  const named: [place: string, jobs: readonly string[]][] = [
    ['budgets.jobs', Object.keys(budgets.jobs)],
    ...roles.flatMap(([place, grants]) =>
      Object.entries(grants).map(([name, { jobs = [] }]): [string, readonly string[]] => [`${place}.${name}.jobs`, jobs]),
    ),
  ]
  return named.flatMap(([place, jobs]) =>
    jobs
      .filter((job) => !known.includes(job))
      .map((job) => `configuration: ${place}: ${job} is no job; there are ${known.join(', ') || 'none'}`),
  )
}
