import { APIError, type OpenAI } from 'openai'
import type { TurnItem, Usage } from '../../core/run.ts'
import type { Exchange, Model, ModelRequest, ModelTurn } from '../model.ts'
import { seenIn } from '../asked.ts'
import { toolChoiceOf } from '../tool-choice.ts'
import { labelFields } from './fields.ts'
import { fieldsIn, idIn, listIn, tierIn, usageIn } from '../foreign.ts'
import { imageMessages } from './raw/images.ts'
import { itemsOfMessage, messageOfItems } from './raw/chat-message.ts'
import { streamedAnswer, type ChatAnswer } from './raw/chat-stream.ts'
import { withOwnIds, type Origin } from '../raw/keep.ts'
import { readAnswer } from '../raw/read.ts'
import { errorIn } from '../errors/body.ts'
import { chatEnding } from './errors/ending.ts'
import { brokenAnswer, type Answered } from '../errors/endings.ts'
import { chatFields } from './settings.ts'
import type { AdapterOptions } from './responses.ts'

type Message = OpenAI.Chat.ChatCompletionMessageParam

/** A model behind `/v1/chat/completions`, which most other servers speak. */
export function createChatModel({ client, from, model, ask, stream, store, labels, isOpenAi, cacheKey }: AdapterOptions): Model {
  return {
    async respond(request, signal) {
      const toolChoice = toolChoiceOf(request, (name) => ({ type: 'function' as const, function: { name } }))
      const body: OpenAI.Chat.ChatCompletionCreateParamsNonStreaming = {
        model,
        messages: messagesOf(request, from),
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
        ...chatFields(cacheKey ? request : { settings: request.settings }, isOpenAi, client.baseURL),
        ...(store !== undefined && { store }),
        ...labelFields(request.labels, { isTold: labels, hasMetadata: store === true }),
      }
      const asked = stream ? { ...body, stream: true as const, stream_options: { include_usage: true } } : body
      // An error may come in the place of an answer, or within it.
      return await ask(asked, async (taken) => {
        const came = await readAnswer(await client.chat.completions.create(taken, { signal }).asResponse())
        const answered = { model, requestId: came.requestId }
        const answer = came.kind === 'whole' ? wholeAnswer(came.answer, answered) : await streamedAnswer(seenIn(came.events))
        signal.throwIfAborted()
        return turnOf(answer, withOwnIds(itemsOfMessage(answer.message, from), request.exchanges, answered), answered)
      })
    },
  }
}

function messagesOf({ instructions, prompt, exchanges }: ModelRequest, from: Origin): Message[] {
  const system: Message[] = instructions === undefined ? [] : [{ role: 'system', content: instructions }]
  return [...system, { role: 'user', content: prompt }, ...exchanges.flatMap((one) => messagesOfExchange(one, from))]
}

function messagesOfExchange({ items, results, reply }: Exchange, from: Origin): Message[] {
  const { message, idOf } = messageOfItems(items, from)
  const told = [
    message,
    ...results.map((result) => ({ role: 'tool', tool_call_id: idOf(result.callId), content: result.text })),
    ...imageMessages(results),
    ...(reply === undefined ? [] : [{ role: 'user', content: reply }]),
  ]
  // oxlint-disable-next-line no-unsafe-type-assertion -- resent as it came
  return told as unknown as Message[]
}

function wholeAnswer(answer: unknown, answered: Answered): ChatAnswer {
  const { id, model, choices, usage, service_tier: tier } = fieldsIn(answer)
  const { message, finish_reason: finish, error } = fieldsIn(listIn(choices)[0])
  if (typeof message !== 'object' || message === null) throw brokenAnswer(answered, 'answered without a choice')
  return { id, model, message: fieldsIn(message), finish, error, usage, tier }
}

/** What an answer says. Throws where it did not end as an answer does. */
function turnOf({ id, model, finish, error, usage, tier }: ChatAnswer, items: TurnItem[], answered: Answered): ModelTurn {
  const said = errorIn({ error })
  if (said) throw new APIError(undefined, said, undefined, undefined)
  const stopReason = chatEnding(finish, answered)
  if (CALLING.has(finish) && !items.some(({ type }) => type === 'tool_call'))
    throw brokenAnswer(answered, 'says that it calls a tool, and calls none')
  return {
    items,
    stopReason,
    usage: usageOf(usage, items.length > 0),
    responseId: idIn(id) ?? null,
    providerRequestId: answered.requestId,
    model: idIn(model) ?? answered.model,
    tier: tierIn(tier),
  }
}

/** Endings that say that a call was made. */
const CALLING = new Set<unknown>(['tool_calls', 'function_call'])

function usageOf(usage: unknown, saysSomething: boolean): Usage | null {
  const { prompt_tokens: input, completion_tokens: output, prompt_tokens_details: read, completion_tokens_details: wrote } = fieldsIn(usage)
  const { cached_tokens: cached, cache_write_tokens: cacheWrite } = fieldsIn(read)
  return usageIn({ input, cached, cacheWrite, output, reasoning: fieldsIn(wrote)['reasoning_tokens'] }, saysSomething)
}
