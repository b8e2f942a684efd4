import { APIError, type OpenAI } from 'openai'
import { Failure } from '../../core/failure.ts'
import type { Usage } from '../../core/run.ts'
import { waitInWords } from '../../lib/time/foreign.ts'
import type { Exchange, Model, ModelRequest, ModelTurn } from '../model.ts'
import { seenIn } from '../asked.ts'
import type { Ask } from '../parameters.ts'
import { toolChoiceOf } from '../tool-choice.ts'
import { labelFields } from './fields.ts'
import { errorIn } from '../errors/body.ts'
import { codeOf } from '../errors/code.ts'
import { endedAnswer, responseEnding } from './errors/ending.ts'
import { brokenAnswer } from '../errors/endings.ts'
import { fieldsIn, idIn, listIn, textIn, tierIn, usageIn, type Fields } from '../foreign.ts'
import { MAX_ITEMS, withOwnIds, type Origin } from '../raw/keep.ts'
import { responsesFields } from './settings.ts'
import { outputOf } from './raw/images.ts'
import { ENCRYPTED, itemsOfOutput, toldItems } from './raw/response-items.ts'
import { readAnswer } from '../raw/read.ts'

type Input = OpenAI.Responses.ResponseInputItem

export interface AdapterOptions {
  client: OpenAI
  /** Who it is, in what is kept of its words. */
  from: Origin
  model: string
  ask: Ask
  stream: boolean
  store: boolean | undefined
  /** The provider is told what a request is for, and whose it is. */
  labels: boolean
  /** The provider is OpenAI's own service. */
  isOpenAi: boolean
  /** The provider is told which requests begin alike. */
  cacheKey: boolean
}

/** A model behind `/v1/responses`. The whole conversation is sent each time; nothing depends on what the provider keeps. */
export function createResponsesModel({ client, from, model, ask, stream, store, labels, cacheKey }: AdapterOptions): Model {
  return {
    async respond(request, signal) {
      const toolChoice = toolChoiceOf(request, (name) => ({ type: 'function' as const, name }))
      const body: OpenAI.Responses.ResponseCreateParamsNonStreaming = {
        model,
        input: inputOf(request, from, store !== false),
        ...(request.instructions !== undefined && { instructions: request.instructions }),
        ...(request.tools.length > 0 && { tools: request.tools.map((tool) => ({ type: 'function', ...tool, strict: false })) }),
        ...(toolChoice !== undefined && { tool_choice: toolChoice }),
        ...responsesFields(
          cacheKey ? request : { settings: request.settings },
          request.output && { type: 'json_schema' as const, ...request.output },
          client.baseURL,
        ),
        ...(store !== undefined && { store }),
        // What is not kept is told again, and thoughts can be read by the provider alone.
        ...(store === false && { include: ENCRYPTED }),
        ...labelFields(request.labels, { isTold: labels, hasMetadata: true }),
      }
      const asked = stream ? { ...body, stream: true as const } : body
      // An error may come in the place of an answer, or within it.
      return await ask(asked, async (taken) => {
        const came = await readAnswer(await client.responses.create(taken, { signal }).asResponse())
        const answered = { model, requestId: came.requestId }
        const answer = came.kind === 'whole' ? came.answer : await lastAnswer(seenIn(came.events))
        signal.throwIfAborted()
        if (answer === undefined) throw brokenAnswer(answered, 'ended its stream without its last event')
        const turn = turnOf(answer, came.requestId, model, from)
        return { ...turn, items: withOwnIds(turn.items, request.exchanges, answered) }
      })
    },
  }
}

/** The answer of the last event; its items are those of the events before where it has none. Undefined when the stream broke. */
async function lastAnswer(events: AsyncIterable<unknown>): Promise<Fields | undefined> {
  const items: unknown[] = []
  // oxlint-disable-next-line waits/bounded -- the provider's connections bound its silence, and the signal of the request ends it
  for await (const event of events) {
    const { type, item, response, ...error } = fieldsIn(event)
    if (type === 'response.output_item.done') items.push(item)
    if (type === 'error') throw new APIError(undefined, errorIn(error) ?? {}, undefined, undefined)
    if (type !== 'response.completed' && type !== 'response.incomplete' && type !== 'response.failed') continue
    const answer = endedAnswer(type, fieldsIn(response))
    const { output } = answer
    return items.length > 0 && (!Array.isArray(output) || output.length === 0) ? { ...answer, output: items } : answer
  }
  return undefined
}

function inputOf({ prompt, exchanges }: ModelRequest, from: Origin, isStored: boolean): Input[] {
  return [{ role: 'user', content: prompt }, ...exchanges.flatMap((one) => inputOfExchange(one, from, isStored))]
}

function inputOfExchange({ items, results, reply }: Exchange, from: Origin, isStored: boolean): Input[] {
  const told = toldItems(items, from, isStored)
  const input = [
    ...told.items,
    ...results.map((one) => ({ type: 'function_call_output', call_id: told.idOf(one.callId), output: outputOf(one) })),
    ...(reply === undefined ? [] : [{ role: 'user', content: reply }]),
  ]
  // oxlint-disable-next-line no-unsafe-type-assertion -- resent as it came
  return input as unknown as Input[]
}

/** What an answer says; with `from`, as it is told again. Throws when it failed, or did not end as an answer does. */
export function turnOf(answer: unknown, requestId: string | null, model: string, from?: Origin): ModelTurn {
  const { id, status, error, model: named, output, usage, service_tier: tier } = fieldsIn(answer)
  const said = errorIn({ error })
  if (status === 'failed' || said) {
    const { code, type, message } = said ?? {}
    const [given, failure] = [textIn(code), codeOf({ code, type, message })]
    throw new Failure({
      code: failure,
      retryAfterMs: failure === 'MODEL_RATE_LIMITED' ? waitInWords(textIn(message) ?? '') : undefined,
      message: `Model ${model} failed: ${textIn(message) ?? 'no reason given'}${given === undefined ? '' : ` (${given})`}.`,
      requestId: requestId ?? undefined,
    })
  }
  const stopReason = responseEnding(fieldsIn(answer), { model, requestId })
  if (!Array.isArray(output)) throw brokenAnswer({ model, requestId }, 'answered without output')
  const told = listIn(output)
  const items = (from === undefined ? told : told.slice(0, MAX_ITEMS + 1)).flatMap((item) => itemsOfOutput(item, from))
  return {
    items,
    stopReason,
    usage: usageOf(usage, items.length > 0),
    responseId: idIn(id) ?? null,
    providerRequestId: requestId,
    model: idIn(named) ?? model,
    tier: tierIn(tier),
  }
}

/** Servers may leave out the details, or the usage as a whole. */
export function usageOf(usage: unknown, saysSomething: boolean): Usage | null {
  const { input_tokens: input, output_tokens: output, input_tokens_details: read, output_tokens_details: wrote } = fieldsIn(usage)
  const { cached_tokens: cached, cache_write_tokens: cacheWrite } = fieldsIn(read)
  return usageIn({ input, cached, cacheWrite, output, reasoning: fieldsIn(wrote)['reasoning_tokens'] }, saysSomething)
}
