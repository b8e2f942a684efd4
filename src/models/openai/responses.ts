import type OpenAI from 'openai'
import { Failure } from '../../core/failure.ts'
import type { TurnItem, Usage } from '../../core/run.ts'
import type { Exchange, Model, ModelRequest, ModelTurn, StopReason } from '../model.ts'
import { seenIn } from './asked.ts'
import type { Ask } from './parameters.ts'
import { labelFields, toolChoiceOf } from './fields.ts'
import { callIn, fieldsIn, idIn, listIn, reasoningIn, textIn, usageIn, type Fields } from './foreign.ts'

type Input = OpenAI.Responses.ResponseInputItem

export interface AdapterOptions {
  client: OpenAI
  model: string
  ask: Ask
  stream: boolean
  store: boolean | undefined
  /** The provider is told what a request is for, and whose it is. */
  labels: boolean
}

/** A model behind `/v1/responses`. The whole conversation is sent each time; nothing depends on what the provider keeps. */
export function createResponsesModel({ client, model, ask, stream, store, labels }: AdapterOptions): Model {
  return {
    async respond(request, signal) {
      const toolChoice = toolChoiceOf(request, (name) => ({ type: 'function' as const, name }))
      const body: OpenAI.Responses.ResponseCreateParamsNonStreaming = {
        model,
        input: inputOf(request),
        ...(request.instructions !== undefined && { instructions: request.instructions }),
        ...(request.tools.length > 0 && { tools: request.tools.map((tool) => ({ type: 'function', ...tool, strict: false })) }),
        ...(toolChoice !== undefined && { tool_choice: toolChoice }),
        ...(request.output && {
          text: { format: { type: 'json_schema', ...request.output } },
        }),
        ...(store !== undefined && { store }),
        ...labelFields(request.labels, { isTold: labels, hasMetadata: true }),
      }
      if (!stream) {
        const { data, request_id: requestId } = await ask(body, (taken) => client.responses.create(taken, { signal }).withResponse())
        return turnOf(data, requestId, model)
      }
      const { data: events, request_id: requestId } = await ask({ ...body, stream: true as const }, (taken) =>
        client.responses.create(taken, { signal }).withResponse(),
      )
      // oxlint-disable-next-line waits/bounded -- the provider's connections bound its silence, and the signal of the request ends it
      for await (const event of seenIn(events)) {
        const { type, response } = fieldsIn(event)
        if (type === 'response.completed' || type === 'response.incomplete' || type === 'response.failed')
          return turnOf(response, requestId, model)
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
export function turnOf(answer: unknown, requestId: string | null, model: string): ModelTurn {
  const response = fieldsIn(answer)
  const { status, error, output } = response
  if (status === 'failed' || (error !== null && error !== undefined)) {
    const { code: given, message: said } = fieldsIn(error)
    const code = textIn(given) ?? 'server_error'
    throw new Failure({
      code: code === 'rate_limit_exceeded' ? 'MODEL_RATE_LIMITED' : 'MODEL_UNAVAILABLE',
      message: `Model ${model} failed: ${textIn(said) ?? textIn(error) ?? 'no reason given'} (${code}).`,
      requestId: requestId ?? undefined,
    })
  }
  if (!Array.isArray(output))
    throw new Failure({ code: 'MODEL_UNAVAILABLE', message: `Model ${model} answered without output.`, requestId: requestId ?? undefined })
  const items = listIn(output).flatMap(itemsOf)
  return {
    items,
    stopReason: stopReasonOf(response),
    usage: usageOf(response['usage'], items.length > 0),
    responseId: idIn(response['id']) ?? null,
    providerRequestId: requestId,
    model: idIn(response['model']) ?? model,
  }
}

function itemsOf(item: Fields): TurnItem[] {
  switch (item['type']) {
    case 'message':
      return messageItems(item['content'])
    case 'function_call':
      return [callIn({ id: item['call_id'], name: item['name'], arguments: item['arguments'] })]
    case 'reasoning':
      return [reasoningIn(item)]
    default:
      return []
  }
}

/** The parts of one message are one text. */
function messageItems(content: unknown): TurnItem[] {
  if (typeof content === 'string') return [{ type: 'message', text: content.toWellFormed() }]
  const parts = listIn(content)
  const texts = parts.flatMap(({ type, text }) => (type === 'output_text' ? [textIn(text) ?? ''] : []))
  const refusals = parts.flatMap(({ type, refusal }): TurnItem[] => (type === 'refusal' ? [{ type: 'refusal', text: textIn(refusal) ?? '' }] : [])) // prettier-ignore
  return texts.length === 0 ? refusals : [...refusals, { type: 'message', text: texts.join('') }]
}

function stopReasonOf({ status, incomplete_details: details }: Fields): StopReason {
  if (status !== 'incomplete') return 'end'
  return fieldsIn(details)['reason'] === 'content_filter' ? 'filtered' : 'cut'
}

/** Servers may leave out the details, or the usage as a whole. */
function usageOf(usage: unknown, saysSomething: boolean): Usage | null {
  const { input_tokens: input, output_tokens: output, input_tokens_details: read, output_tokens_details: wrote } = fieldsIn(usage)
  return usageIn({ input, cached: fieldsIn(read)['cached_tokens'], output, reasoning: fieldsIn(wrote)['reasoning_tokens'] }, saysSomething)
}
