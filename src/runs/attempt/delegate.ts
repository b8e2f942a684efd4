import { Failure } from '../../core/failure.ts'
import { needsOf } from '../../core/rules/outcome.ts'
import { lastTurnAt } from '../../core/rules/last-turn.ts'
import { sha256Hex } from '../../lib/hash/chain.ts'
import { settingsOf } from '../../jobs/sections/model.ts'
import { durationMs } from '../../lib/duration.ts'
import type { GatewayFetch } from '../../core/ports/gateway.ts'
import { runHosted } from '../../agent/hosted/conversation.ts'
import { runLocal } from '../../agent/loop.ts'
import type { DelegateResult, Labels, OutputCheck } from '../../models/model.ts'
import type { Provider } from '../../models/provider.ts'
import type { DelegateOptions } from '../../agent/turn.ts'
import { accountHeaders } from '../../pomerium/fetch.ts'
import type { TokenSource } from '../../pomerium/token.ts'
import type { AttemptInput } from './input.ts'
import type { Preflight } from './preflight.ts'
import { relayOf } from './relay.ts'
import { warnNoPriceOnce, warnNoUsageOnce } from './cost-warnings.ts'
import { withTimeout } from '../../pomerium/timeout.ts'
import { explainUnauthorized } from '../../pomerium/unauthorized.ts'
import type { RunResources } from '../resources.ts'
import { windowOf } from './window.ts'

export interface DelegateInput extends AttemptInput {
  provider: Provider
  tokens: TokenSource
  fetch: GatewayFetch
  prompt: string
  instructions: string | undefined
  output: OutputCheck | undefined
}

/** Lets the model work with the tools, in the way the job says. */
export async function delegate(
  resources: RunResources,
  input: DelegateInput,
  ready: Preflight,
  signal: AbortSignal,
): Promise<DelegateResult> {
  const { definition, provider, journal, prompt, instructions, output, history, nextTurn } = input
  const { limits, model, onUnknown } = definition
  const window = windowOf(resources, definition)
  const softDeadline = lastTurnAt(input.endsAt, durationMs(limits.deadline))
  const relay = relayOf(resources, input, definition, softDeadline)
  const shared: DelegateOptions = {
    model: relay.model,
    inUse: relay.inUse,
    journal,
    instructions,
    prompt,
    output,
    limits: { turns: limits.turns, toolCalls: limits.toolCalls, tokens: limits.tokens, costUsd: limits.costUsd },
    price: resources.factsOf(model.provider, model.name).price,
    needed: needsOf(definition.tools),
    partial: Object.entries(definition.tools).flatMap(([server, { allowPartial }]) => (allowPartial ? [server] : [])),
    labels: labelsOf(resources, input),
    window,
    settings: settingsOf(model),
    cacheKey: sha256Hex(`${input.opened.job} ${input.opened.jobVersion}`),
    bare: definition.contract === 'none',
    budget: input.budget,
    warn: input.warn,
    warnNoUsage: warnNoUsageOnce(input, model.provider),
    warnNoPrice: warnNoPriceOnce(input),
    history,
    unseen: input.unseen,
    nextTurn,
    softDeadline,
  }
  const { toolBox, servers } = ready
  switch (definition.delegate) {
    case 'local':
      return runLocal(
        {
          ...shared,
          tools: toolBox,
          resultBytes: limits.resultBytes,
          onUnknown,
          toolConcurrency: resources.toolConcurrency,
          staleAfterMs: durationMs(definition.staleAfter),
        },
        signal,
      )
    case 'hosted': {
      // The provider opens its own sessions, so ours are closed.
      await toolBox.close()
      const { runId } = input.opened.attempt
      return runHosted(
        {
          ...shared,
          nameOf: (server, tool) => toolBox.offered.find((one) => one.server === server && one.tool.name === tool)?.name ?? tool,
          hosted: provider.hosted(model.name, input.warn),
          runId,
          servers: servers.flatMap(({ name, url, required }) => {
            // What a provider calls by itself cannot be refused call by call: it is not offered.
            const offered = toolBox.offered.filter((one) => one.server === name && (one.repeatable || !resources.refuseWrites))
            const names = offered.map(({ tool }) => tool.name)
            const repeatable = offered.flatMap((one) => (one.repeatable ? [one.tool.name] : []))
            return names.length === 0 ? [] : [{ name, url, tools: names, repeatable, required }]
          }),
          headers: () => accountHeaders(input.tokens.current(), provider.runHeader ? runId : undefined),
          showing: { resultBytes: limits.resultBytes, keptBytes: limits.keptBytes, canRead: false, redact: resources.redactor.redact },
          open: input.open,
          lostCalls: input.lostCalls,
          isLastTry: input.opened.failed + 1 >= definition.retry.attempts,
          explain401: (server) => explain401(resources, input, server, signal),
        },
        signal,
      )
    }
  }
}

/** The account by a digest: its name is nobody's but ours. */
function labelsOf({ gateway }: RunResources, { opened, definition }: DelegateInput): Labels {
  const { runId, number } = opened.attempt
  const user = sha256Hex(`${gateway.url} ${definition.account}`)
  return { run: runId, job: opened.job, attempt: String(number), user }
}

/** Classifies a 401 that the provider reported. */
async function explain401(
  { gateway }: RunResources,
  { fetch, definition }: DelegateInput,
  server: string,
  signal: AbortSignal,
): Promise<Failure> {
  const { url: gatewayUrl, timeoutMs } = gateway
  try {
    return await withTimeout(signal, timeoutMs, gatewayUrl, (limited) =>
      explainUnauthorized({ fetch, gatewayUrl, account: definition.account, server, signal: limited }),
    )
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}
