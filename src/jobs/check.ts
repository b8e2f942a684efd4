import { nearest, suggest } from '../lib/near.ts'
import type { Fault } from './faults/fault.ts'
import { scheduleFaults } from './faults/schedule.ts'
import { defaultFaults, schemaFaults } from './faults/schemas.ts'
import { scheduledFaults, textFaults } from './faults/texts.ts'
import { pathFault } from './grounded.ts'
import type { Api, Tier } from '../core/models/settings.ts'
import { settingFaults } from '../core/rules/models/settings.ts'
import { settingsOf } from './sections/model.ts'
import type { JobDefinition } from './schema.ts'
import { sharedTools, UNSHARE } from './shared-tools.ts'

/** What the configuration offers a job, so that a wrong name is found when the file is read. */
export interface Offer {
  accounts: readonly string[]
  providers: readonly string[]
  /** The API that the provider speaks; undefined where it is not known. */
  apiOf(provider: string): Api | undefined
  /** The provider speaks the API in which a model can call MCP servers itself. */
  canHost(provider: string): boolean
  /** Requests that the provider makes for a run of the account can be told from those of others: by the run's header, or by an account of the run's own. */
  tellsRuns(provider: string, account: string): boolean
  /** What the model costs in the tier is known. */
  hasPrice(provider: string, model: string, tier?: Tier): boolean
  /** Names under prices: of the configuration. */
  pricedModels: readonly string[]
  /** What is wrong with where a report is to go. */
  deliverFault(entry: JobDefinition['deliver'][number]): string | undefined
  /** A daily ceiling in money is set for the job or its account. */
  hasMoneyBudget(job: string, account: string): boolean
}

/** Everything that is wrong with a job that has the right format, and that a run would fail of. */
export const checkDefinition = (job: string, definition: JobDefinition, offer: Offer): Fault[] => [
  ...offerFaults(job, definition, offer),
  ...ownFaults(job, definition),
]

/** What is wrong with it under what the configuration offers. It is asked of every job whenever that changes, and takes no time to speak of. */
export function offerFaults(job: string, definition: JobDefinition, offer: Offer): Fault[] {
  const issues: Fault[] = []
  if (!offer.accounts.includes(definition.account))
    issues.push({
      path: ['account'],
      message: `is ${definition.account}, which is not under accounts: in the configuration; ${suggest(definition.account, offer.accounts)}`,
    })
  const { provider, tier } = definition.model
  if (!offer.providers.includes(provider))
    issues.push({
      path: ['model', 'provider'],
      message: `is ${provider}, which is not under providers: in the configuration; ${suggest(provider, offer.providers)}`,
    })
  else if (definition.delegate === 'hosted' && !offer.canHost(provider))
    issues.push({
      path: ['delegate'],
      message: `is hosted, which needs a provider with api: responses or anthropic; ${provider} has api: chat. Change the provider, or write delegate: local`,
    })
  else if (definition.delegate === 'hosted' && !offer.tellsRuns(provider, definition.account))
    issues.push({
      path: ['delegate'],
      message: `is hosted, and ${offer.apiOf(provider) === 'anthropic' ? `api: anthropic (providers.${provider}) sends no header of ours to the servers` : `providers.${provider} has runHeader: false`}: nothing would tell the requests of a run from those of somebody else. Set accounts.${definition.account}.perRun: true, ${offer.apiOf(provider) === 'anthropic' ? '' : 'take runHeader out, '}or write delegate: local`,
    })
  const api = offer.apiOf(provider)
  if (api)
    for (const { field, message } of settingFaults(api, settingsOf(definition.model))) issues.push({ path: ['model', field], message })
  issues.push(...fallbackFaults(definition, offer))
  for (const [at, one] of [definition.model, ...definition.model.fallback].entries()) {
    if (offer.hasPrice(one.provider, one.name, tier)) continue
    const meant = nearest(one.name, offer.pricedModels)
    const cure =
      tier === 'priority' && offer.hasPrice(one.provider, one.name)
        ? `add what priority costs as prices.${one.name}.tiers.priority in the configuration`
        : `${meant === undefined ? '' : `did you mean ${meant}? Or `}add it under prices: in the configuration`
    if (definition.limits.costUsd !== undefined)
      issues.push({ path: ['limits', 'costUsd'], message: `needs a price of the model ${one.name}; ${cure}` })
    if (offer.hasMoneyBudget(job, definition.account))
      issues.push({
        path: at === 0 ? ['model', 'name'] : ['model', 'fallback', String(at - 1), 'name'],
        message: `is ${one.name}, which has no price, but budgets: sets a costUsd for the job or its account; ${cure}`,
      })
  }
  for (const [at, entry] of definition.deliver.entries()) {
    const fault = offer.deliverFault(entry)
    if (fault !== undefined) issues.push({ path: ['deliver', String(at)], message: fault })
  }
  return issues
}

/** What is wrong with it by itself. */
export function ownFaults(job: string, definition: JobDefinition): Fault[] {
  const issues: Fault[] = []
  for (const server of Object.keys(definition.tools))
    if (server.toLowerCase() === 'nightshift')
      issues.push({
        path: ['tools', server],
        message: 'is the name of Nightshift’s own tools; give the route in Pomerium another name, and use that',
      })
  const least = Object.values(definition.tools).reduce((sum, { minCalls = 0 }) => sum + minCalls, 0)
  if (least > definition.limits.toolCalls)
    issues.push({
      path: ['limits', 'toolCalls'],
      message: `is ${definition.limits.toolCalls}, fewer than the ${least} that minCalls: asks for, so that no run could be green; make it larger`,
    })
  if (definition.delegate === 'hosted') issues.push(...sharedFaults(definition))
  issues.push(...textFaults(definition))
  for (const [path, schema] of [
    [['input'], definition.input],
    [['output', 'schema'], definition.output?.schema],
  ] as const) {
    if (schema) for (const fault of schemaFaults(schema)) issues.push({ path: [...path, ...fault.path], message: fault.message })
  }
  if (issues.length === 0 && definition.input)
    issues.push(...defaultFaults(definition.input).map(({ path, message }) => ({ path: ['input', ...path], message })))
  if (issues.length === 0) issues.push(...groundedFaults(definition), ...scheduleFaults(definition))
  if (issues.length === 0) issues.push(...scheduledFaults(job, definition))
  return issues
}

/** What is wrong with the models that go on where another one cannot. */
function fallbackFaults({ model, delegate }: JobDefinition, offer: Offer): Fault[] {
  const { fallback, onRateLimit, onNoRoom, tier } = model
  const faults: Fault[] = []
  if (onRateLimit === 'fallback' && fallback.length === 0)
    faults.push({ path: ['model', 'onRateLimit'], message: 'is fallback, and there is no model under fallback:; name one, or write wait' })
  if (onNoRoom === 'default' && tier !== 'flex')
    faults.push({ path: ['model', 'onNoRoom'], message: 'says what follows when tier: flex has no room; write tier: flex, or take it out' })
  if (delegate === 'hosted' && fallback.length > 0)
    faults.push({
      path: ['model', 'fallback'],
      message:
        'is for delegate: local; what a hosted provider has begun no other one can go on with. Take it out, or write delegate: local',
    })
  if (delegate === 'hosted' && onNoRoom === 'default')
    faults.push({
      path: ['model', 'onNoRoom'],
      message: 'is for delegate: local; a hosted run without room is tried again by retry:. Take it out, or write delegate: local',
    })
  const models = [model, ...fallback]
  for (const [at, { provider, name }] of fallback.entries()) {
    const path = ['model', 'fallback', String(at)]
    if (!offer.providers.includes(provider))
      faults.push({
        path: [...path, 'provider'],
        message: `is ${provider}, which is not under providers: in the configuration; ${suggest(provider, offer.providers)}`,
      })
    if (models.findIndex((one) => one.provider === provider && one.name === name) !== at + 1)
      faults.push({ path: [...path, 'name'], message: `is ${name} of ${provider} once more; take it out` })
  }
  return faults
}

/** Tools of a hosted job that several servers have, as far as they are named. */
function sharedFaults({ tools }: JobDefinition): Fault[] {
  const named = Object.entries(tools).flatMap(([server, { allow }]) =>
    allow.filter((tool) => !tool.includes('*')).map((tool) => ({ server, tool })),
  )
  return sharedTools(named).map(({ tool, servers }) => ({
    path: ['tools', servers.at(-1) ?? '', 'allow'],
    message: `names ${tool}, as ${servers.slice(0, -1).join(' and ')} does: a hosted provider may reach one of them alone; ${UNSHARE}`,
  }))
}

function groundedFaults({ output }: JobDefinition): Fault[] {
  if (!output) return []
  return output.grounded.flatMap((path, at) => {
    const fault = pathFault(path, output.schema)
    return fault === undefined ? [] : [{ path: ['output', 'grounded', String(at)], message: `${path} ${fault}` }]
  })
}
