import type OpenAI from 'openai'
import { Failure } from '../../core/failure.ts'
import type { TurnItem, Usage } from '../../core/run.ts'
import type { Exchange, Model, ModelRequest, ModelTurn, StopReason } from '../model.ts'
import { seenIn } from './asked.ts'
import { labelFields, toolChoiceOf } from './fields.ts'
import { argumentsIn, callIn, fieldsIn, idIn, listIn, textIn, textOfParts, usageIn } from './foreign.ts'
import type { AdapterOptions } from './responses.ts'

type Message = OpenAI.Chat.ChatCompletionMessageParam

/** What an answer says, however it came. */
interface Answer {
  id: unknown
  model: unknown
  text: string
  refusal: string
  calls: { id: unknown; name: unknown; arguments: string }[]
  finish: string | null
  usage: unknown
}

/** A model behind `/v1/chat/completions`, which most other servers speak. */
export function createChatModel({ client, model, ask, stream, store, labels }: AdapterOptions): Model {
  return {
    async respond(request, signal) {
      const toolChoice = toolChoiceOf(request, (name) => ({ type: 'function' as const, function: { name } }))
      const body: OpenAI.Chat.ChatCompletionCreateParamsNonStreaming = {
        model,
        messages: messagesOf(request),
        ...(request.tools.length > 0 && {
          tools: request.tools.map(({ name, description, parameters }) => ({
            type: 'function',
            function: { name, description, parameters, strict: false },
          })),
        }),
        ...(toolChoice !== undefined && { tool_choice: toolChoice }),
        ...(request.output && {
          response_format: {
            type: 'json_schema',
            json_schema: { ...request.output },
          },
        }),
        ...(store !== undefined && { store }),
        ...labelFields(request.labels, { isTold: labels, hasMetadata: store === true }),
      }
      if (!stream) {
        const { data, request_id: requestId } = await ask(body, (taken) => client.chat.completions.create(taken, { signal }).withResponse())
        return turnOf(wholeAnswer(data, requestId, model), requestId, model)
      }
      const streaming = { ...body, stream: true, stream_options: { include_usage: true } } as const
      const { data, request_id: requestId } = await ask(streaming, (taken) =>
        client.chat.completions.create(taken, { signal }).withResponse(),
      )
      const answer = await streamedAnswer(seenIn(data))
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

function wholeAnswer(answer: unknown, requestId: string | null, asked: string): Answer {
  const { id, model, choices, usage } = fieldsIn(answer)
  const [choice] = listIn(choices)
  if (!choice || choice['message'] === null || typeof choice['message'] !== 'object')
    throw new Failure({
      code: 'MODEL_UNAVAILABLE',
      message: `Model ${asked} answered without a choice.`,
      requestId: requestId ?? undefined,
    })
  const { content, refusal, tool_calls: calls } = fieldsIn(choice['message'])
  return {
    id,
    model,
    text: textOfParts(content),
    refusal: textOfParts(refusal),
    calls: listIn(calls).flatMap(({ id: callId, type, function: called }) =>
      type === undefined || type === null || type === 'function'
        ? [{ id: callId, name: fieldsIn(called)['name'], arguments: argumentsIn(fieldsIn(called)['arguments']) }]
        : [],
    ),
    finish: textIn(choice['finish_reason']) ?? null,
    usage,
  }
}

/**
 * Assembles the chunks of an answer. The client's own helper throws when structured output does not parse; here a wrong or cut answer is an answer too, and
 * another turn repairs it.
 */
async function streamedAnswer(chunks: AsyncIterable<unknown>): Promise<Answer> {
  const answer: Answer = { id: null, model: null, text: '', refusal: '', calls: [], finish: null, usage: null }
  const calls = new Map<unknown, Answer['calls'][number]>()
  let last: unknown
  // oxlint-disable-next-line waits/bounded -- the provider's connections bound its silence, and the signal of the request ends it
  for await (const chunk of chunks) {
    const { id, model, choices, usage } = fieldsIn(chunk)
    answer.id ??= id
    answer.model ??= model
    answer.usage = usage ?? answer.usage
    const choice = fieldsIn(listIn(choices)[0])
    const delta = fieldsIn(choice['delta'])
    answer.text += textOfParts(delta['content'])
    answer.refusal += textOfParts(delta['refusal'])
    answer.finish = textIn(choice['finish_reason']) ?? answer.finish
    for (const { index, id: callId, function: called } of listIn(delta['tool_calls'])) {
      // Without an index, an id begins a call, and what has none goes on with the last one.
      last = typeof index === 'number' ? index : (idIn(callId) ?? last)
      const { name, arguments: args } = fieldsIn(called)
      const known = calls.get(last) ?? { id: callId, name: '', arguments: '' }
      calls.set(last, { ...known, name: known.name === '' ? name : known.name, arguments: known.arguments + partIn(args) })
    }
  }
  return { ...answer, calls: [...calls.values()] }
}

/** A part of the arguments: halves of a character may come in two of them. */
const partIn = (args: unknown): string => (typeof args === 'string' ? args : argumentsIn(args))

function turnOf({ id, model, text, refusal, calls, finish, usage }: Answer, requestId: string | null, asked: string): ModelTurn {
  const items: TurnItem[] = [
    ...(refusal === '' ? [] : [{ type: 'refusal' as const, text: refusal.toWellFormed() }]),
    ...(text === '' ? [] : [{ type: 'message' as const, text: text.toWellFormed() }]),
    ...calls.map(callIn),
  ]
  return {
    items,
    stopReason: stopReasonOf(finish),
    usage: usageOf(usage, items.length > 0),
    responseId: idIn(id) ?? null,
    providerRequestId: requestId,
    model: idIn(model) ?? asked,
  }
}

function stopReasonOf(finish: string | null): StopReason {
  if (finish === 'length') return 'cut'
  return finish === 'content_filter' ? 'filtered' : 'end'
}

function usageOf(usage: unknown, saysSomething: boolean): Usage | null {
  const { prompt_tokens: input, completion_tokens: output, prompt_tokens_details: read, completion_tokens_details: wrote } = fieldsIn(usage)
  return usageIn({ input, cached: fieldsIn(read)['cached_tokens'], output, reasoning: fieldsIn(wrote)['reasoning_tokens'] }, saysSomething)
}
