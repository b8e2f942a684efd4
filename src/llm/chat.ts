import type OpenAI from 'openai'
import { Failure } from '../core/failure.ts'
import { noUsage, type TurnItem, type Usage } from '../core/run.ts'
import type { Exchange, Model, ModelRequest, ModelTurn, StopReason } from './model.ts'
import type { AdapterOptions } from './responses.ts'

type Message = OpenAI.Chat.ChatCompletionMessageParam
type Completion = OpenAI.Chat.ChatCompletion

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
        ...(request.tools.length > 0 && !request.mayCall && { tool_choice: 'none' }),
        ...(request.output && {
          response_format: {
            type: 'json_schema',
            json_schema: { name: request.output.name, schema: request.output.schema, strict: false },
          },
        }),
        ...(store !== undefined && { store }),
      }
      if (!stream) {
        const { data, request_id: requestId } = await client.chat.completions.create(body, { signal }).withResponse()
        return turnOf(data, requestId, model)
      }
      const answer = client.chat.completions.stream({ ...body, stream: true, stream_options: { include_usage: true } }, { signal })
      const completion = await answer.finalChatCompletion()
      const choice = completion.choices[0]
      if (!choice?.finish_reason) {
        signal.throwIfAborted()
        throw new Failure({ code: 'MODEL_UNAVAILABLE', message: `The stream of model ${model} ended without a finish reason.` })
      }
      return turnOf(completion, null, model)
    },
  }
}

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

function turnOf(completion: Completion, requestId: string | null, model: string): ModelTurn {
  const choice = completion.choices?.[0]
  if (!choice?.message)
    throw new Failure({
      code: 'MODEL_UNAVAILABLE',
      message: `Model ${model} answered without a choice.`,
      requestId: requestId ?? undefined,
    })
  const { message, finish_reason: finish } = choice
  const items: TurnItem[] = [
    ...(message.refusal ? [{ type: 'refusal' as const, text: message.refusal }] : []),
    ...(message.content ? [{ type: 'message' as const, text: message.content }] : []),
    ...(message.tool_calls ?? []).flatMap((call): TurnItem[] =>
      call.type === 'function'
        ? [{ type: 'tool_call', callId: call.id, name: call.function.name, arguments: call.function.arguments }]
        : [],
    ),
  ]
  return {
    items,
    stopReason: stopReasonOf(finish),
    usage: usageOf(completion.usage),
    responseId: completion.id ?? null,
    providerRequestId: requestId,
    model: completion.model ?? model,
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
