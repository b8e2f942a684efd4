import type OpenAI from 'openai'
import { Failure } from '../../core/failure.ts'
import { noUsage, type TurnItem, type Usage } from '../../core/run.ts'
import type { Exchange, Model, ModelRequest, ModelTurn, StopReason } from '../model.ts'
import type { AdapterOptions } from './responses.ts'

type Message = OpenAI.Chat.ChatCompletionMessageParam
type Completion = OpenAI.Chat.ChatCompletion
type Chunk = OpenAI.Chat.ChatCompletionChunk

/** What an answer says, however it came. */
interface Answer {
  id: string | null
  model: string | null
  text: string
  refusal: string
  calls: { id: string; name: string; arguments: string }[]
  finish: string | null
  usage: OpenAI.CompletionUsage | undefined | null
}

/** A model behind `/v1/chat/completions`, which most other servers speak. */
export function createChatModel({ client, model, stream, store }: AdapterOptions): Model {
  return {
    async respond(request, signal) {
      const body: OpenAI.Chat.ChatCompletionCreateParamsNonStreaming = {
        model,
        messages: messagesOf(request),
        ...(request.tools.length > 0 && {
          tools: request.tools.map(({ name, description, parameters }) => ({
            type: 'function',
            function: { name, description, parameters, strict: false },
          })),
        }),
        ...(request.tools.length > 0 && !request.mayCall && { tool_choice: choiceOf(request.mustCall) }),
        ...(request.output && {
          response_format: {
            type: 'json_schema',
            json_schema: { ...request.output },
          },
        }),
        ...(store !== undefined && { store }),
      }
      if (!stream) {
        const { data, request_id: requestId } = await client.chat.completions.create(body, { signal }).withResponse()
        return turnOf(wholeAnswer(data, requestId, model), requestId, model)
      }
      const streaming = { ...body, stream: true, stream_options: { include_usage: true } } as const
      const { data, request_id: requestId } = await client.chat.completions.create(streaming, { signal }).withResponse()
      const answer = await streamedAnswer(data)
      if (answer.finish === null) {
        signal.throwIfAborted()
        throw new Failure({
          code: 'MODEL_UNAVAILABLE',
          message: `The stream of model ${model} ended without a finish reason.`,
          requestId: requestId ?? undefined,
        })
      }
      return turnOf(answer, requestId, model)
    },
  }
}

const choiceOf = (name: string | undefined) => (name === undefined ? 'none' : { type: 'function' as const, function: { name } })

function messagesOf({ instructions, prompt, exchanges }: ModelRequest): Message[] {
  const system: Message[] = instructions === undefined ? [] : [{ role: 'system', content: instructions }]
  return [...system, { role: 'user', content: prompt }, ...exchanges.flatMap(messagesOfExchange)]
}

function messagesOfExchange({ items, results, reply }: Exchange): Message[] {
  const text = items.flatMap((item) => (item.type === 'message' || item.type === 'refusal' ? [item.text] : [])).join('')
  const calls = items.flatMap((item) => (item.type === 'tool_call' ? [item] : []))
  return [
    {
      role: 'assistant',
      content: text,
      ...(calls.length > 0 && {
        tool_calls: calls.map((call) => ({
          id: call.callId,
          type: 'function' as const,
          function: { name: call.name, arguments: call.arguments },
        })),
      }),
    },
    ...results.map((result): Message => ({ role: 'tool', tool_call_id: result.callId, content: result.text })),
    ...(reply === undefined ? [] : [{ role: 'user' as const, content: reply }]),
  ]
}

function wholeAnswer({ id, model, choices, usage }: Completion, requestId: string | null, asked: string): Answer {
  const choice = choices?.[0]
  if (!choice?.message)
    throw new Failure({
      code: 'MODEL_UNAVAILABLE',
      message: `Model ${asked} answered without a choice.`,
      requestId: requestId ?? undefined,
    })
  const { content, refusal, tool_calls: calls = [] } = choice.message
  return {
    id,
    model,
    text: content ?? '',
    refusal: refusal ?? '',
    calls: (calls ?? []).flatMap((call) => (call.type === 'function' ? [{ id: call.id, ...call.function }] : [])),
    finish: choice.finish_reason,
    usage,
  }
}

/**
 * Assembles the chunks of an answer. The client's own helper throws when structured output does not parse; here a wrong or cut answer is an answer too, and
 * another turn repairs it.
 */
async function streamedAnswer(chunks: AsyncIterable<Chunk>): Promise<Answer> {
  const answer: Answer = { id: null, model: null, text: '', refusal: '', calls: [], finish: null, usage: null }
  const calls = new Map<number, Answer['calls'][number]>()
  for await (const { id, model, choices, usage } of chunks) {
    answer.id ??= id
    answer.model ??= model
    answer.usage = usage ?? answer.usage
    const choice = choices?.[0]
    answer.text += choice?.delta?.content ?? ''
    answer.refusal += choice?.delta?.refusal ?? ''
    answer.finish = choice?.finish_reason ?? answer.finish
    for (const { index, id: callId = '', function: named } of choice?.delta?.tool_calls ?? []) {
      const known = calls.get(index) ?? { id: callId, name: named?.name ?? '', arguments: '' }
      calls.set(index, { ...known, arguments: known.arguments + (named?.arguments ?? '') })
    }
  }
  return { ...answer, calls: [...calls.values()] }
}

function turnOf({ id, model, text, refusal, calls, finish, usage }: Answer, requestId: string | null, asked: string): ModelTurn {
  const items: TurnItem[] = [
    ...(refusal === '' ? [] : [{ type: 'refusal' as const, text: refusal }]),
    ...(text === '' ? [] : [{ type: 'message' as const, text }]),
    ...calls.map((call) => ({ type: 'tool_call' as const, callId: call.id, name: call.name, arguments: call.arguments })),
  ]
  return {
    items,
    stopReason: stopReasonOf(finish),
    usage: usageOf(usage),
    responseId: id ?? null,
    providerRequestId: requestId,
    model: model ?? asked,
  }
}

function stopReasonOf(finish: string | null): StopReason {
  if (finish === 'length') return 'cut'
  return finish === 'content_filter' ? 'filtered' : 'end'
}

function usageOf(usage: OpenAI.CompletionUsage | undefined | null): Usage {
  if (!usage) return noUsage
  return {
    inputTokens: usage.prompt_tokens ?? 0,
    cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    outputTokens: usage.completion_tokens ?? 0,
    reasoningTokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
  }
}
