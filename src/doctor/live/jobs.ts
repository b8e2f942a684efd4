// Jobs held against what Pomerium, the servers and the providers say now: names that the files alone cannot show to be wrong.
import { describeError } from '../../core/failure.ts'
import type { GatewayFetch } from '../../core/ports/gateway.ts'
import type { Job } from '../../jobs/job.ts'
import { showAt } from '../../jobs/place.ts'
import { suggest } from '../../lib/near.ts'
import { matchesWildcard } from '../../lib/wildcard.ts'
import { openSession } from '../../mcp/session/session.ts'
import type { ToolListing } from '../../mcp/tools/listing.ts'
import type { Provider } from '../../models/provider.ts'
import type { RouteList } from '../../pomerium/routes.ts'

/** What is asked. */
export interface LiveParts {
  routes: (account: string, signal: AbortSignal) => Promise<RouteList | undefined>
  gatewayFetch: (account: string) => GatewayFetch | undefined
  resources: {
    providers: ReadonlyMap<string, Provider>
    maxRequestBytes: ReadonlyMap<string, number>
    gateway: { timeoutMs: number; maxResponseBytes: number }
    redactor: { redact: (text: string) => string }
  }
}

/** Lines with file, line, field and cure. A server that a job can do without is a warning. */
export interface LiveFaults {
  issues: string[]
  warnings: string[]
  /** Names of the jobs with an issue. */
  faulty: Set<string>
}

const DEFAULT_REQUEST_BYTES = 4096

/** Asks each server and each model that jobs name, once as each account. Calls no tool and spends nothing; each question has the wait of `gateway.setupTimeout`. */
export async function askOfJobs(jobs: readonly Job[], parts: LiveParts, signal: AbortSignal): Promise<LiveFaults> {
  const ask = createAsking(parts, signal)
  const found: LiveFaults = { issues: [], warnings: [], faulty: new Set() }
  for (const job of jobs) {
    const { account, model, tools } = job.definition
    const add = (path: readonly string[], message: string, isWarning = false) => {
      const to = isWarning ? found.warnings : found.issues
      to.push(showAt(job, path, message))
      if (!isWarning) found.faulty.add(job.name)
    }
    const listed = await ask.routes(account)
    if (!listed.ok) add(['account'], `is ${account}, which got no list of routes from Pomerium: ${listed.why}`)
    else
      for (const [server, { required, allow, repeatable }] of Object.entries(tools)) {
        const fault = routeFault(server, listed.value)
        const offered = fault === undefined ? await ask.tools(account, server, listed.value) : undefined
        if (fault !== undefined) add(['tools', server], fault, !required)
        else if (offered && !offered.ok) add(['tools', server], `could not be asked for its tools: ${offered.why}`, !required)
        else if (offered)
          for (const [key, names] of [
            ['allow', allow],
            ['repeatable', repeatable],
          ] as const)
            for (const [at, name] of names.entries()) {
              const missing = toolFault(name, offered.value)
              if (missing !== undefined) add(['tools', server, key, String(at)], missing, !required)
            }
      }
    const isKnown = await ask.model(model.provider, model.name)
    if (!isKnown.ok) add(['model', 'provider'], `is ${model.provider}, which could not be asked for its models: ${isKnown.why}`)
    else if (isKnown.value === false) add(['model', 'name'], `is ${model.name}, which ${model.provider} does not list; correct it`)
  }
  return found
}

function routeFault(server: string, { routes, leftOut }: RouteList): string | undefined {
  if (routes.has(server)) return undefined
  const why = leftOut.get(server)
  if (why !== undefined) return `is a route that is not used: ${why}`
  return `is no MCP route that Pomerium lists for the account; ${suggest(server, [...routes.keys()].toSorted())}`
}

function toolFault(name: string, { names, leftOut }: ToolListing): string | undefined {
  if (names.some((one) => matchesWildcard(name, one))) return undefined
  const why = leftOut.find((one) => matchesWildcard(name, one.name))?.why
  return why === undefined
    ? `names ${name}, which the server does not offer; ${suggest(name, names.toSorted())}`
    : `names ${name}, which cannot be used: ${why}`
}

type Answer<T> = { ok: true; value: T } | { ok: false; why: string }

/** Each question is asked once. */
function createAsking({ routes, gatewayFetch, resources }: LiveParts, signal: AbortSignal) {
  const { timeoutMs, maxResponseBytes } = resources.gateway
  const lists = new Map<string, Promise<Answer<RouteList>>>()
  const tools = new Map<string, Promise<Answer<ToolListing>>>()
  const models = new Map<string, Promise<Answer<boolean | undefined>>>()

  function ask<T>(
    answers: Map<string, Promise<Answer<T>>>,
    question: string,
    work: (ended: AbortSignal) => Promise<T>,
  ): Promise<Answer<T>> {
    const asked = answers.get(question) ?? answerOf(work)
    answers.set(question, asked)
    return asked
  }

  async function answerOf<T>(work: (ended: AbortSignal) => Promise<T>): Promise<Answer<T>> {
    try {
      return { ok: true, value: await work(AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])) }
    } catch (error) {
      signal.throwIfAborted()
      return { ok: false, why: describeError(error) }
    }
  }

  async function listRoutes(account: string, ended: AbortSignal): Promise<RouteList> {
    const listed = await routes(account, ended)
    if (!listed) throw new Error('the account has no usable token')
    return listed
  }

  async function listTools(account: string, server: string, { routes: known }: RouteList, ended: AbortSignal): Promise<ToolListing> {
    const url = known.get(server)?.url
    const fetch = gatewayFetch(account)
    if (url === undefined || !fetch) throw new Error('the account has no usable token')
    const maxRequestBytes = resources.maxRequestBytes.get(server) ?? DEFAULT_REQUEST_BYTES
    const { redact } = resources.redactor
    const session = await openSession({ server, url, fetch, maxRequestBytes, timeoutMs, maxResponseBytes, redact }, ended)
    try {
      return await session.listTools(['*'], ended)
    } finally {
      await session.close()
    }
  }

  return {
    routes: (account: string) => ask(lists, account, (ended) => listRoutes(account, ended)),
    tools: (account: string, server: string, listed: RouteList) =>
      ask(tools, `${account}\0${server}`, (ended) => listTools(account, server, listed, ended)),
    model: (provider: string, name: string) =>
      ask(models, `${provider}\0${name}`, async (ended) => resources.providers.get(provider)?.knows(name, ended)),
  }
}
