import { missingKey } from '../../config/secrets.ts'
import { kindOfProvider } from '../../core/models/catalogue-kinds.ts'
import type { Job } from '../../jobs/job.ts'
import type { RouteList } from '../../pomerium/routes.ts'
import { bounded, failedBy, skipped, warning, type Finding } from '../check.ts'
import { checkHosted, HOSTED_MS } from '../hosted.ts'
import { checkModel, MODEL_MS } from '../model.ts'
import type { Context } from './context.ts'

/** Each provider's key, and the models of it that jobs name. */
export async function* examineProviders(context: Context): AsyncGenerator<Finding, void> {
  const keyless = new Set<string>()
  for (const [name, { api, baseUrl }] of Object.entries(context.config.providers))
    try {
      const missing = missingKey(context.config, name)
      // A server of one's own may want none.
      if (missing && kindOfProvider(api, baseUrl) !== undefined) yield warning(`provider ${name}`, `${missing.fault}.`, missing.cure)
    } catch (error) {
      keyless.add(name)
      yield failedBy(`provider ${name}`, error)
    }
  yield* examineModels(context, keyless)
  yield* examineHosted(context, keyless)
}

const cureOf = (provider: string) => `Check providers.${provider}.baseUrl and the network.`

async function* examineModels({ jobs, parts, spend, signal }: Context, keyless: ReadonlySet<string>): AsyncGenerator<Finding, void> {
  const named = jobs.flatMap(({ definition: { model } }) => [model, ...model.fallback])
  for (const [both, { provider, name }] of new Map(named.map((model) => [`${model.provider}/${model.name}`, model])))
    if (keyless.has(provider)) yield skipped(`model ${both}`, `not checked: the key of ${provider} cannot be read`)
    else
      yield* await bounded(
        `model ${both}`,
        cureOf(provider),
        signal,
        (ended) => checkModel(provider, parts.resources.providers.get(provider), name, { spend, signal: ended }),
        { ms: spend ? MODEL_MS : undefined, code: 'MODEL_UNAVAILABLE' },
      )
}

/** Models of hosted jobs, each at the first server that the account of such a job lists. */
async function* examineHosted({ jobs, parts, db, spend, signal }: Context, keyless: ReadonlySet<string>): AsyncGenerator<Finding, void> {
  const { resources, routes } = parts
  const hosted = jobs.filter(({ definition: { delegate, model } }) => delegate === 'hosted' && !keyless.has(model.provider))
  for (const [both, of] of Map.groupBy(hosted, ({ definition: { model } }) => `${model.provider}/${model.name}`)) {
    const [job] = of
    if (!job) continue
    const { provider, name } = job.definition.model
    yield* await bounded(
      `hosted ${both}`,
      cureOf(provider),
      signal,
      async (ended) => {
        const target = spend && db ? await firstServer(of, (account) => routes(db, account, ended)) : undefined
        return checkHosted(provider, resources.providers.get(provider), name, { target, spend, signal: ended })
      },
      { ms: spend ? HOSTED_MS : undefined, code: 'MODEL_UNAVAILABLE' },
    )
  }
}

/** A server of the jobs, with its address. */
async function firstServer(
  jobs: readonly Job[],
  routesOf: (account: string) => Promise<RouteList | undefined>,
): Promise<{ server: string; url: string } | undefined> {
  for (const { definition } of jobs) {
    // Why an account lists nothing is said where it is looked at.
    const listed = await routesOf(definition.account).catch(() => undefined)
    for (const server of Object.keys(definition.tools)) {
      const url = listed?.routes.get(server)?.url
      if (url !== undefined) return { server, url }
    }
  }
  return undefined
}
