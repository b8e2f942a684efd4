import { isDeepStrictEqual } from 'node:util'
import { longestAnswer } from '../core/rules/context/window.ts'
import type { Config } from '../config/load.ts'
import { proxiedParts } from '../config/proxies.ts'
import { missingKey, providerKey, readSecret, refusedKeyCure, secretPlace } from '../config/secrets.ts'
import type { Ceiling } from '../core/rules/spending/budget.ts'
import { priceShare } from '../core/models/catalogue-kinds.ts'
import { hasPriceAt } from '../core/rules/spending/price.ts'
import type { Role } from '../core/caller.ts'
import { signingKeyTexts } from '../audit/evidence/keys.ts'
import { secretsOf } from '../lib/net/way/proxy.ts'
import type { Redactor } from '../lib/redact.ts'
import type { Sender } from '../delivery/destinations/destination.ts'
import { deliverFault, openDestinations } from '../delivery/destinations/registry.ts'
import type { Callers } from '../http/identity.ts'
import type { Offer } from '../jobs/check.ts'
import { createFacts, type FactsOf } from '../models/catalogue/facts.ts'
import type { Provider } from '../models/provider.ts'
import { createDispatcher } from '../pomerium/dispatcher.ts'
import { isHostOfGateway } from '../pomerium/routes.ts'
import { createParts, type Parts } from './live/parts.ts'
import { hostsOf, openProvider, tellsRun } from './providers.ts'
import { createMinterClient } from '../pomerium/minter-client.ts'
import { createTokenSource, type TokenSource } from '../pomerium/token.ts'
import type { RunResources } from '../runs/resources.ts'
import type { ConcurrencyOf } from '../store/runs/holds.ts'

/** What the configuration offers a job. */
export function offerOf(config: Config): Offer {
  const facts = factsOf(config)
  return {
    accounts: Object.keys(config.accounts),
    providers: Object.keys(config.providers),
    deliverFault: (entry) => deliverFault(entry, config),
    apiOf: (provider) => config.providers[provider]?.api,
    canHost: (provider) => hostsOf(config.providers[provider]),
    tellsRuns: (provider, account) => tellsRun(config.providers[provider]) || config.accounts[account]?.perRun === true,
    pricedModels: Object.keys(config.prices),
    hasPrice: (provider, model, tier) => hasPriceAt(facts(provider, model).price, tier),
    hasMoneyBudget: (job, account) => ceilingsOf(config, job, account).some(({ costUsd }) => costUsd !== undefined),
  }
}

export { CATALOGUE_DATE } from '../models/catalogue/models.ts'

/** What is known of the models of the configured providers. */
export function factsOf({ providers, prices, models }: Pick<Config, 'providers' | 'prices' | 'models'>): FactsOf {
  const kindOf = (provider: string) => {
    const kind = Object.hasOwn(providers, provider) ? providers[provider]?.catalogue : undefined
    return kind === 'none' ? undefined : kind
  }
  const share = (provider: string, model: string) =>
    priceShare(Object.hasOwn(providers, provider) ? providers[provider]?.baseUrl : undefined, model)
  return createFacts({ kindOf, shareOf: share, prices: new Map(Object.entries(prices)), models: new Map(Object.entries(models)) })
}

/** Seconds until each account's token expires; a token that cannot be read has expired. */
export function* tokenSeconds({ accounts }: RunResources): Generator<readonly [string, number | undefined]> {
  for (const [account, tokens] of accounts) {
    try {
      const { expiresAt } = tokens.current()
      yield [account, expiresAt && (expiresAt.getTime() - Date.now()) / 1000]
    } catch {
      yield [account, 0]
    }
  }
}

/** The ids of this deployment's accounts, as their tokens say now. */
export function accountIds({ accounts }: RunResources): { accountId: string; account: string }[] {
  return [...accounts].flatMap(([account, tokens]) => {
    try {
      return [{ account, accountId: tokens.current().accountId }]
    } catch {
      return []
    }
  })
}

/** Who may call the API. */
export const callersOf = ({ tokens, pomerium }: NonNullable<Config['api']>): Callers => ({
  tokens: mapGrants(tokens),
  users: mapGrants(pomerium?.users ?? {}),
  groups: mapGrants(pomerium?.groups ?? {}),
})

const mapGrants = <G extends { role: Role; jobs?: readonly string[] | undefined }>(grants: Record<string, G>) =>
  Object.fromEntries(Object.entries(grants).map(([name, grant]) => [name, { ...grant, jobs: grant.jobs }]))

/** Most runs at a time of a job, as the run itself says, and of an account, as the configuration says. */
export const createConcurrencyOf =
  (config: () => Config): ConcurrencyOf =>
  (_job, account, defined) => ({ job: defined, account: config().accounts[account]?.concurrency })

/** Where reports and alarms can go, with their secrets. */
export const destinationsOf = (config: Config, redactor: Redactor): Sender =>
  openDestinations(config, { read: readSecret, redact: redactor.add })

/** All daily ceilings of a configuration. */
export const allCeilings = ({ budgets }: Pick<Config, 'budgets'>): Ceiling[] => [
  ...Object.entries(budgets.accounts).map(([name, { tokens, costUsd }]) => ({ scope: 'account' as const, name, tokens, costUsd })),
  ...Object.entries(budgets.jobs).map(([name, { tokens, costUsd }]) => ({ scope: 'job' as const, name, tokens, costUsd })),
]

const ceilingsOf = (config: Config, job: string, account: string): Ceiling[] =>
  allCeilings(config).filter(({ scope, name }) => name === (scope === 'job' ? job : account))

/** What cannot be read now is a failure of who needs it. */
function readAhead(read: () => unknown): void {
  try {
    read()
  } catch {
    // Said then.
  }
}

/** Two configurations reach a provider in the same way: a key of the one is for the server of the other. */
function reachesAs({ providers }: Config, name: string, provided: Config['providers'][string]): boolean {
  const unkeyed = (one: Config['providers'][string] | undefined) => one && { ...one, apiKey: undefined, apiKeyFile: undefined }
  return isDeepStrictEqual(unkeyed(providers[name]), unkeyed(provided))
}

/**
 * What attempts under one configuration share. What is open for another one already is shared with it. The key of a provider is that of the configuration in force, also
 * for a run that began under an earlier one, where both reach it in the same way.
 */
export function createRunResources(
  config: Config,
  stack: AsyncDisposableStack,
  parts: Parts = createParts(),
  inForce: () => Config = () => config,
): RunResources {
  const { gateway } = config
  const { redactor } = parts
  for (const { proxy } of proxiedParts(config)) if (proxy) for (const text of secretsOf(proxy)) redactor.add(text)
  const { hostname: gatewayHost } = new URL(gateway.url)
  const audience = config.api?.pomerium?.audience
  const dispatcher = parts.dispatchers(stack, { gateway, audience }, () =>
    createDispatcher({
      address: gateway.address,
      isServed: (host) => host === audience || isHostOfGateway(host, gatewayHost, gateway.routeHosts),
      caFile: gateway.caFile,
      proxy: gateway.proxy,
      connections: gateway.connections,
    }),
  )
  const providers = new Map<string, Provider>()
  const facts = factsOf(config)
  for (const [name, provided] of Object.entries(config.providers)) {
    const keyOf = (one: Config) => {
      const key = providerKey(one, name)
      if (key !== undefined) redactor.add(key)
      return key
    }
    const apiKey = () => {
      const now = inForce()
      return keyOf(reachesAs(now, name, provided) ? now : config)
    }
    readAhead(() => keyOf(config))
    const { prices, models } = config
    const maxTokensOf = (model: string) => {
      const { windowTokens: tokens, maxOutputTokens } = facts(name, model)
      return longestAnswer({ ...(tokens !== undefined && { tokens }), maxOutputTokens })
    }
    const open = () =>
      openProvider(
        {
          name,
          apiKey,
          missingKey: () => missingKey(config, name),
          keyCure: refusedKeyCure(config, name),
          maxTokensOf,
          redact: redactor.redact,
        },
        provided,
      )
    providers.set(name, parts.providers(stack, { name, provided, prices, models }, open))
  }
  const accounts = new Map<string, TokenSource>()
  for (const text of signingKeyTexts(config.evidence.keyFile)) redactor.add(text)
  for (const [account, { token, tokenFile: file }] of Object.entries(config.accounts))
    accounts.set(
      account,
      createTokenSource({ account, token, file, place: secretPlace(config, ['accounts', account, 'token'], file), onToken: redactor.add }),
    )
  // Also what this process may never send is known: a server, or the gateway's log, may hold it.
  for (const tokens of accounts.values())
    readAhead(() => {
      tokens.current()
      // Whoever needs it looks at the file, which may be another one by then.
      tokens.recheck?.()
    })
  const socket = config.minter?.socket
  return {
    accounts,
    perRun: new Set(Object.entries(config.accounts).flatMap(([name, { perRun }]) => (perRun ? [name] : []))),
    minter: socket === undefined ? undefined : parts.minters(stack, socket, () => createMinterClient(socket)),
    gateway: {
      url: gateway.url,
      routeHosts: gateway.routeHosts,
      dispatcher,
      maxResponseBytes: gateway.maxResponseBytes,
      timeoutMs: gateway.setupTimeout,
    },
    maxRequestBytes: new Map(Object.entries(config.servers).map(([name, { maxRequestBytes }]) => [name, maxRequestBytes])),
    providers,
    ownContract: config.contract.text,
    factsOf: facts,
    ceilings: (job, account) => ceilingsOf(config, job, account),
    toolConcurrency: config.worker.toolConcurrency,
    serverSlots: new Map(
      Object.entries(config.servers).flatMap(([name, { concurrency }]) =>
        concurrency === undefined ? [] : [[name, parts.slots(name, concurrency)] as const],
      ),
    ),
    redactor,
  }
}
