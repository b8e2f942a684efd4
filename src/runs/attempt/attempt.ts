import { Failure } from '../../core/failure.ts'
import { lackOf } from '../../core/rules/fit.ts'
import type { PromptRecord } from '../../core/ports/journal.ts'
import type { DelegateResult } from '../../models/model.ts'
import { createGatewayFetch } from '../../pomerium/fetch.ts'
import { checkLifetime } from '../../pomerium/token.ts'
import type { OpenToolBox } from '../../mcp/toolbox.ts'
import type { AttemptInput } from './input.ts'
import { delegate } from './delegate.ts'
import { identify } from './identity.ts'
import { outputCheckOf } from './output.ts'
import { preflight } from './preflight.ts'
import type { RunResources } from '../resources.ts'
import { joinTexts, renderTexts, type RenderedTexts } from './texts.ts'

/** Does the work of one attempt: token, routes, preflight, delegate. Throws a `Failure` when there is no answer. */
export async function runAttempt(
  resources: RunResources,
  input: AttemptInput,
  signal: AbortSignal,
): Promise<DelegateResult & { notes: string[] }> {
  const { opened, definition, journal, tell, deadline } = input
  const { runId } = opened.attempt
  const { account, model } = definition
  const provider = resources.providers.get(model.provider)
  const lack = lackOf(resources, opened.job, definition)
  if (!provider || lack !== undefined)
    throw new Failure({ code: 'WORKER_UNFIT', message: `Job ${opened.job} needs ${lack}, which this worker does not have.` })
  // What is said of the form of an answer holds for each model that may go on.
  const formatWithTools = [model, ...model.fallback].every((one) => resources.providers.get(one.provider)?.formatWithTools === true)
  const output = outputCheckOf(definition, { formatWithTools })
  const begun = input.texts ?? renderTexts(input, output, resources.ownContract)
  const identity = await identify(resources, { account, runId, deadline, ...input.accounts })
  const { tokens } = identity
  let mayEnd = true
  let toolBox: OpenToolBox | undefined
  try {
    checkLifetime(account, tokens.current(), new Date(), deadline)

    const { dispatcher, maxResponseBytes } = resources.gateway
    const fetch = createGatewayFetch({ dispatcher, account, tokens, runId, journal, maxResponseBytes, redact: resources.redactor.redact })
    const ready = await preflight({ resources, definition, journal, fetch, history: input.history }, signal)
    toolBox = ready.toolBox
    tell({ event: 'routes', count: ready.routes })
    tell({ event: 'preflight', servers: Object.keys(definition.tools), tools: toolBox.tools.length })
    // A later attempt of the conversation tells the same, whatever the servers say of themselves by then.
    const asked = 'ours' in begun ? await readAndJoin(begun, toolBox, signal) : begun
    await journal.prompt(asked)
    // A background answer goes on at the provider and needs the account until the deadline.
    mayEnd = definition.delegate === 'local'
    const result = await delegate(
      resources,
      { ...input, provider, tokens, fetch, output, prompt: asked.prompt, instructions: asked.instructions ?? undefined },
      ready,
      signal,
    )
    mayEnd = true
    return { ...result, notes: toolBox.notes }
  } finally {
    await toolBox?.close()
    if (mayEnd) await identity.end()
  }
}

/** What the model is told first, with what the servers say of themselves and what the job wants read from them. */
async function readAndJoin(rendered: RenderedTexts, toolBox: OpenToolBox, signal: AbortSignal): Promise<PromptRecord> {
  const context = await Promise.all(rendered.context.map(async (one) => ('text' in one ? one : toolBox.readContext(one, signal))))
  return joinTexts(
    rendered,
    toolBox.servers,
    context.filter((one) => one !== undefined),
  )
}
