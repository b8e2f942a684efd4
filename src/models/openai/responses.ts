import type OpenAI from 'openai'
import { Failure } from '../../core/failure.ts'
import { noUsage, type TurnItem, type Usage } from '../../core/run.ts'
import type { Exchange, Model, ModelRequest, ModelTurn, StopReason } from '../model.ts'

type Response = OpenAI.Responses.Response
type Input = OpenAI.Responses.ResponseInputItem

export interface AdapterOptions {
  client: OpenAI
  model: string
  stream: boolean
  store: boolean | undefined
}

/** A model behind `/v1/responses`. The whole conversation is sent each time; nothing depends on what the provider keeps. */
export function createResponsesModel({ client, model, stream, store }: AdapterOptions): Model {
  return {
    async respond(request, signal) {
      const body: OpenAI.Responses.ResponseCreateParamsNonStreaming = {
        model,
        input: inputOf(request),
        ...(request.instructions !== undefined && { instructions: request.instructions }),
        ...(request.tools.length > 0 && { tools: request.tools.map((tool) => ({ type: 'function', ...tool, strict: false })) }),
        ...(request.tools.length > 0 && !request.mayCall && { tool_choice: choiceOf(request.mustCall) }),
        ...(request.output && {
          text: { format: { type: 'json_schema', ...request.output } },
        }),
        ...(store !== undefined && { store }),
      }
      if (!stream) {
        const { data, request_id: requestId } = await client.responses.create(body, { signal }).withResponse()
        return turnOf(data, requestId, model)
      }
      const { data: events, request_id: requestId } = await client.responses.create({ ...body, stream: true }, { signal }).withResponse()
      for await (const event of events) {
        if (event.type === 'response.completed' || event.type === 'response.incomplete' || event.type === 'response.failed')
          return turnOf(event.response, requestId, model)
      }
      signal.throwIfAborted()
      throw new Failure({
        code: 'MODEL_UNAVAILABLE',
        message: `The stream of model ${model} ended without its last event.`,
        requestId: requestId ?? undefined,
      })
    },
  }
}

const choiceOf = (name: string | undefined) => (name === undefined ? 'none' : { type: 'function' as const, name })

function inputOf({ prompt, exchanges }: ModelRequest): Input[] {
  return [{ role: 'user', content: prompt }, ...exchanges.flatMap(inputOfExchange)]
}

function inputOfExchange({ items, results, reply }: Exchange): Input[] {
  const said = items.map((item): Input => {
    switch (item.type) {
      case 'message':
      case 'refusal':
        return { role: 'assistant', content: item.text }
      case 'tool_call':
        return { type: 'function_call', call_id: item.callId, name: item.name, arguments: item.arguments }
      case 'reasoning':
        // oxlint-disable-next-line no-unsafe-type-assertion -- resent as it came
        return item.raw as Input
    }
  })
  const given = results.map(({ callId, text }): Input => ({ type: 'function_call_output', call_id: callId, output: text }))
  return [...said, ...given, ...(reply === undefined ? [] : [{ role: 'user' as const, content: reply }])]
}

/** What an answer says. Throws when it failed. */
export function turnOf(response: Response, requestId: string | null, model: string): ModelTurn {
  if (response.status === 'failed' || response.error) {
    const { code, message } = response.error ?? { code: 'server_error', message: 'no reason given' }
    const limited = code === 'rate_limit_exceeded'
    throw new Failure({
      code: limited ? 'MODEL_RATE_LIMITED' : 'MODEL_UNAVAILABLE',
      message: `Model ${model} failed: ${message} (${code}).`,
      requestId: requestId ?? undefined,
    })
  }
  if (!Array.isArray(response.output))
    throw new Failure({ code: 'MODEL_UNAVAILABLE', message: `Model ${model} answered without output.`, requestId: requestId ?? undefined })
  return {
    items: response.output.flatMap(itemsOf),
    stopReason: stopReasonOf(response),
    usage: usageOf(response.usage),
    responseId: response.id ?? null,
    providerRequestId: requestId,
    model: response.model ?? model,
  }
}

function itemsOf(item: OpenAI.Responses.ResponseOutputItem): TurnItem[] {
  switch (item.type) {
    case 'message':
      return messageItems(item.content)
    case 'function_call':
      return [{ type: 'tool_call', callId: item.call_id, name: item.name, arguments: item.arguments }]
    case 'reasoning':
      return [{ type: 'reasoning', raw: item }]
    default:
      return []
  }
}

/** The parts of one message are one text. */
function messageItems(content: OpenAI.Responses.ResponseOutputMessage['content']): TurnItem[] {
  const texts = content.flatMap((part) => (part.type === 'output_text' ? [part.text] : []))
  const refusals = content.flatMap((part): TurnItem[] => (part.type === 'refusal' ? [{ type: 'refusal', text: part.refusal }] : []))
  return texts.length === 0 ? refusals : [...refusals, { type: 'message', text: texts.join('') }]
}

function stopReasonOf(response: Response): StopReason {
  if (response.status !== 'incomplete') return 'end'
  return response.incomplete_details?.reason === 'content_filter' ? 'filtered' : 'cut'
}

/** Servers may leave out the details, or the usage as a whole. */
function usageOf(usage: Partial<OpenAI.Responses.ResponseUsage> | undefined | null): Usage {
  if (!usage) return noUsage
  return {
    inputTokens: usage.input_tokens ?? 0,
    cachedTokens: usage.input_tokens_details?.cached_tokens ?? 0,
    outputTokens: usage.output_tokens ?? 0,
    reasoningTokens: usage.output_tokens_details?.reasoning_tokens ?? 0,
  }
}
