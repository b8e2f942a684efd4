import type { Dispatcher } from 'undici'
import { durationMs } from '../core/duration.ts'
import { Failure } from '../core/failure.ts'
import type { GatewayFetch } from '../core/gateway.ts'
import type { Journal } from '../core/journal.ts'
import type { Price } from '../core/price.ts'
import type { Redactor } from '../core/redact.ts'
import { parseOutput } from '../jobs/output.ts'
import type { JobDefinition } from '../jobs/schema.ts'
import { renderTemplate, type TemplateScope } from '../jobs/template.ts'
import { runLocal } from '../llm/local.ts'
import type { DelegateResult } from '../llm/model.ts'
import type { PastTurn } from '../llm/turn.ts'
import type { Provider } from '../llm/provider.ts'
import { openToolBox, type OpenToolBox, type ServerSpec } from '../mcp/toolbox.ts'
import { createGatewayFetch } from '../pomerium/gateway.ts'
import { listRoutes, type Route } from '../pomerium/routes.ts'
import { checkLifetime, type TokenSource } from '../pomerium/token.ts'
import type { OpenedAttempt } from '../store/runs.ts'
import type { OnProgress } from './progress.ts'

/** What all attempts of a worker share. */
export interface Tools {
  accounts: ReadonlyMap<string, TokenSource>
  gateway: { url: string; dispatcher: Dispatcher; maxResponseBytes: number; timeoutMs: number }
  /** Request limit of each server in bytes; others have Pomerium's default. */
  maxRequestBytes: ReadonlyMap<string, number>
  providers: ReadonlyMap<string, Provider>
  prices: ReadonlyMap<string, Price>
  toolConcurrency: number
  redactor: Redactor
}

/** Pomerium's max_request_bytes where the route sets none (measured). */
const DEFAULT_REQUEST_BYTES = 4096
/** The part of the deadline kept for a last answer, and its most. */
const LAST_ANSWER_SHARE = 0.15
const LAST_ANSWER_MS = 60_000

export interface AttemptInput {
  opened: OpenedAttempt
  definition: JobDefinition
  history: readonly PastTurn[]
  nextTurn: number
  journal: Journal
  onProgress: OnProgress
  deadline: Date
}

/** Does the work of one attempt: token, routes, preflight, delegate. Throws a `Failure` when there is no answer. */
export async function runAttempt(tools: Tools, input: AttemptInput, signal: AbortSignal): Promise<DelegateResult & { notes: string[] }> {
  const { opened, definition, journal, onProgress, deadline } = input
  const { runId } = opened.attempt
  const scope = templateScope(opened, definition)
  const prompt = renderTemplate(definition.prompt, scope)
  const instructions = definition.instructions === undefined ? undefined : renderTemplate(definition.instructions, scope)

  const account = definition.account
  const tokens = tools.accounts.get(account)
  const provider = tools.providers.get(definition.model.provider)
  if (!tokens)
    throw new Failure({ code: 'JOB_INVALID', message: `Job ${opened.job} names the account ${account}, which this worker does not have.` })
  if (!provider)
    throw new Failure({
      code: 'JOB_INVALID',
      message: `Job ${opened.job} names the provider ${definition.model.provider}, which this worker does not have.`,
    })
  checkLifetime(account, tokens.current(), new Date(), deadline)

  const { dispatcher, maxResponseBytes, url: gatewayUrl, timeoutMs } = tools.gateway
  const fetch = createGatewayFetch({ dispatcher, account, tokens, runId, journal, maxResponseBytes })
  const routes = await withTimeout(signal, timeoutMs, gatewayUrl, (limited) => listRoutes({ fetch, gatewayUrl, account, signal: limited }))
  onProgress({ runId, event: 'routes', count: routes.size })
  const toolBox = await preflight(tools, input, routes, fetch, signal)
  try {
    onProgress({ runId, event: 'preflight', servers: Object.keys(definition.tools), tools: toolBox.tools.length })
    const schema = definition.output?.schema
    const result = await runLocal(
      {
        model: provider.model(definition.model.name),
        tools: toolBox,
        journal,
        instructions,
        prompt,
        output: schema && { name: 'output', schema, parse: (text) => parseOutput(text, schema) },
        limits: {
          turns: definition.limits.turns,
          toolCalls: definition.limits.toolCalls,
          tokens: definition.limits.tokens,
          costUsd: definition.limits.costUsd,
        },
        price: tools.prices.get(definition.model.name),
        history: input.history,
        nextTurn: input.nextTurn,
        onUnknown: definition.onUnknown,
        toolConcurrency: tools.toolConcurrency,
        softDeadline: softDeadline(definition, deadline),
      },
      signal,
    )
    return { ...result, notes: toolBox.notes }
  } finally {
    await toolBox.close()
  }
}

function softDeadline(definition: JobDefinition, deadline: Date): Date {
  const reserve = Math.min(durationMs(definition.limits.deadline) * LAST_ANSWER_SHARE, LAST_ANSWER_MS)
  return new Date(deadline.getTime() - reserve)
}

function templateScope(opened: OpenedAttempt, definition: JobDefinition): TemplateScope {
  const { trigger } = opened
  const fireTime = trigger.kind === 'schedule' ? new Date(trigger.fireAt) : opened.createdAt
  return {
    input: opened.input,
    fire_time: fireTime,
    run_id: opened.attempt.runId,
    job: opened.job,
    timezone: definition.schedule?.timezone,
  }
}

/** Each required server answers and has each tool named. Optional ones that are not in the route list are left out. */
async function preflight(
  tools: Tools,
  { definition, journal }: AttemptInput,
  routes: Map<string, Route>,
  fetch: GatewayFetch,
  signal: AbortSignal,
): Promise<OpenToolBox> {
  const servers: ServerSpec[] = []
  const absent: string[] = []
  for (const [name, { allow, repeatable, required }] of Object.entries(definition.tools)) {
    const route = routes.get(name)
    if (route)
      servers.push({
        name,
        url: route.url,
        allow,
        repeatable,
        required,
        maxRequestBytes: tools.maxRequestBytes.get(name) ?? DEFAULT_REQUEST_BYTES,
      })
    else if (required)
      throw new Failure({
        code: 'ROUTE_UNKNOWN',
        message: `Pomerium lists no MCP route ${name}; it lists ${[...routes.keys()].toSorted().join(', ') || 'none'}.`,
        server: name,
      })
    else absent.push(`Pomerium lists no MCP route ${name}`)
  }
  const { onUnknown, limits } = definition
  const box = await openToolBox(
    {
      servers,
      fetch,
      journal,
      onUnknown,
      resultBytes: limits.resultBytes,
      redact: tools.redactor.redact,
      timeoutMs: tools.gateway.timeoutMs,
    },
    signal,
  )
  box.notes.push(...absent)
  return box
}

async function withTimeout<T>(signal: AbortSignal, timeoutMs: number, what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const own = new AbortController()
  const abort = () => own.abort(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  const timer = setTimeout(
    () => own.abort(new Failure({ code: 'GATEWAY_UNREACHABLE', message: `No answer from ${what} within ${timeoutMs / 1000} s.` })),
    timeoutMs,
  )
  try {
    signal.throwIfAborted()
    return await work(own.signal)
  } catch (error) {
    throw own.signal.aborted ? own.signal.reason : error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}
