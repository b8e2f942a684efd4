import { isTypo, nearest, suggest } from '../../lib/near.ts'
import { showFault } from '../places.ts'
import type { ConfigValues } from '../schema.ts'
import { namesHeld, type Named } from './table.ts'

/** What a job says of others by their names. */
export interface JobNames {
  name: string
  definition: {
    tools: Readonly<Record<string, unknown>>
    model: { provider: string; name: string; fallback: readonly { provider: string; name: string }[] }
  }
}

/** Where the configuration names jobs that there are not, a line each: a ceiling or a role for a misspelt job would be none. */
export const unknownJobs = (config: Pick<ConfigValues, 'budgets' | 'api'>, known: readonly string[]): string[] =>
  namesHeld(config, 'job files')
    .filter(({ name }) => !known.includes(name))
    .map(({ path, name }) => showFault(config, path, `names ${name}, which is no job; ${suggest(name, known)}`))

/**
 * Where the configuration names a server or a model by a slip of the pen for one that a job uses and that nothing else is said of, a line each: what it says is of no
 * effect.
 */
export function misspelt(config: Pick<ConfigValues, 'servers' | 'prices' | 'models'>, jobs: readonly JobNames[]): string[] {
  const models = jobs.flatMap(({ definition: { model } }) => [model, ...model.fallback])
  const used: Partial<Record<Named['of'], readonly string[]>> = {
    server: jobs.flatMap(({ definition }) => Object.keys(definition.tools)),
    model: [...models.map(({ name }) => name), ...models.map(({ provider, name }) => `${provider}/${name}`)],
  }
  const names = namesHeld(config, 'slips')
  return names.flatMap(({ path, name, of }) => {
    const all = used[of] ?? []
    const beside = names.filter((one) => one.path[0] === path[0]).map((one) => one.name)
    const isSaid = (one: string) => beside.includes(one) || beside.includes(modelOf(one))
    const others = all.filter((one) => !isSaid(one))
    // Models have names that are near one another, such as those of two sizes.
    const near = of === 'model' ? others.find((one) => isTypo(name, one)) : nearest(name, others)
    const meant = all.includes(name) ? undefined : near
    return meant === undefined ? [] : [showFault(config, path, `is a ${of} that no job uses; did you mean ${meant}?`)]
  })
}

/** The name of a model without its provider. */
const modelOf = (name: string) => name.slice(name.indexOf('/') + 1)
