import { worseFinish } from '../errors/ending.ts'
import { fieldsIn, listIn, textOfParts, type Fields } from '../../foreign.ts'
import { createCallPieces } from './call-pieces.ts'
import { MAX_CHARS } from '../../raw/keep.ts'
import { addPiece } from '../../raw/merge.ts'

/** What an answer says, however it came. */
export interface ChatAnswer {
  id: unknown
  model: unknown
  message: Fields
  /** `finish_reason`; undefined where the answer has none. */
  finish: unknown
  /** What the choice says of an error, which may come in the middle of a text. */
  error: unknown
  usage: unknown
  /** `service_tier`. */
  tier: unknown
}

/**
 * Assembles the chunks of an answer. The client's own helper throws when structured output does not parse; here a wrong or cut answer is an answer too, and
 * another turn repairs it.
 */
export async function streamedAnswer(chunks: AsyncIterable<unknown>): Promise<ChatAnswer> {
  const answer: ChatAnswer = { id: null, model: null, message: {}, finish: null, error: null, usage: null, tier: null }
  const message: Record<string, unknown> = {}
  const calls = createCallPieces()
  let content: string | unknown[] = ''
  let refusal = ''
  let isFirst = true
  // What is beside the words is kept as a whole, or not at all: more than can be kept is not put together.
  let beside = 0
  // oxlint-disable-next-line waits/bounded -- the provider's connections bound its silence, and the signal of the request ends it
  for await (const chunk of chunks) {
    const { id, model, choices, usage, service_tier: tier } = fieldsIn(chunk)
    answer.id ??= id
    answer.model ??= model
    answer.usage = usage ?? answer.usage
    answer.tier = tier ?? answer.tier
    const { delta, message: given, finish_reason: finish, error } = fieldsIn(listIn(choices)[0])
    // Some put the whole message into the only chunk; after deltas it would be said twice.
    const part = fieldsIn(delta ?? (isFirst ? given : undefined))
    isFirst &&= Object.keys(part).length === 0
    const { role: _, content: said, refusal: no, tool_calls: called, function_call: single, ...more } = part
    content = addContent(content, said)
    refusal += textOfParts(no)
    beside += JSON.stringify(Object.values(more)).length - 2
    if (beside <= MAX_CHARS) addPiece(message, more)
    for (const piece of listIn(called)) calls.add(piece)
    if (single !== undefined && single !== null) calls.add({ index: 0, function: single })
    answer.finish = worseFinish(answer.finish, finish)
    answer.error = error ?? answer.error
  }
  return { ...answer, message: { ...(beside <= MAX_CHARS && message), content, refusal, tool_calls: calls.whole() } }
}

/** Texts are one text; once a list of parts came, texts are parts too. */
function addContent(content: string | unknown[], said: unknown): string | unknown[] {
  if (typeof said === 'string' && said !== '') {
    if (typeof content === 'string') return content + said
    return addParts(content, [{ type: 'text', text: said }])
  }
  if (!Array.isArray(said)) return content
  return addParts(typeof content === 'string' ? (content === '' ? [] : [{ type: 'text', text: content }]) : content, said)
}

function addParts(parts: unknown[], more: readonly unknown[]): unknown[] {
  for (const part of more) {
    const last = fieldsIn(parts.at(-1))
    const { type, text } = fieldsIn(part)
    if (type === 'text' && last['type'] === 'text' && typeof text === 'string' && typeof last['text'] === 'string')
      parts[parts.length - 1] = { ...last, text: last['text'] + text }
    else parts.push(part)
  }
  return parts
}
