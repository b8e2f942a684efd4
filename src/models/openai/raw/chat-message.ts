import type { TurnItem } from '../../../core/run.ts'
import { callIn, fieldsIn, idIn, listIn, textOfParts, type Fields } from '../../foreign.ts'
import { fieldsBeside, kept, keptFrom, MAX_ITEMS, type Origin } from '../../raw/keep.ts'
import { isObject } from '../../../lib/json/object.ts'

// A message of a model behind `/v1/chat/completions`: as items, and as it is told again.

/** Fields of a message that items have in words of ours. */
const IN_WORDS = ['role', 'content', 'refusal', 'tool_calls', 'function_call'] as const

/** The calls of a message. One without a type is of a function where it has one. */
export function callsIn(message: Fields): Fields[] {
  const calls = listIn(message['tool_calls']).filter(({ function: called }) => isObject(called))
  const single = fieldsIn(message['function_call'])
  return calls.length === 0 && single['name'] !== undefined ? [{ function: single }] : calls
}

/** The message as items: what stands in it beside its words comes first, and is told again with them. */
export function itemsOfMessage(message: Fields, from: Origin): TurnItem[] {
  const [text, refusal] = [textOfParts(message['content']), textOfParts(message['refusal'])]
  const parts = Array.isArray(message['content']) ? { content: message['content'] } : {}
  const beside = { ...fieldsBeside(message, ...IN_WORDS), ...parts }
  const raw = Object.keys(beside).length > 0 ? kept(beside) : undefined
  return [
    ...(raw === undefined ? [] : [{ type: 'reasoning' as const, raw, from }]),
    ...(refusal === '' ? [] : [{ type: 'refusal' as const, text: refusal.toWellFormed() }]),
    ...(text === '' ? [] : [{ type: 'message' as const, text: text.toWellFormed() }]),
    ...callsIn(message)
      .slice(0, MAX_ITEMS + 1)
      .map((call) => itemOfCall(call, from)),
  ]
}

function itemOfCall(call: Fields, from: Origin): TurnItem {
  const { name, arguments: args, ...rest } = fieldsIn(call['function'])
  const words = typeof args === 'string' || args === null || args === undefined ? {} : { arguments: args }
  const raw = { ...fieldsBeside(call, 'function'), function: { ...fieldsBeside(rest), ...words } }
  return { ...callIn({ id: call['id'], name, arguments: args }), ...keptFrom(raw, from) }
}

/** A message of an earlier turn, with the ids by which the model knows its calls. */
export interface ToldMessage {
  message: Fields
  /** What an answer to the call names. */
  idOf: (callId: string) => unknown
}

/** The items of a message as it is told again. An empty text beside calls is left out: some servers refuse it, and others refuse null. */
export function messageOfItems(items: readonly TurnItem[], from: Origin): ToldMessage {
  const beside = items.flatMap((item) => (item.type === 'reasoning' && item.from === from ? [fieldsIn(item.raw)] : []))
  const text = items.flatMap((item) => (item.type === 'message' || item.type === 'refusal' ? [item.text] : [])).join('')
  const calls = items.flatMap((item) => (item.type === 'tool_call' ? [item] : []))
  const ids = new Map(calls.map((call) => [call.callId, wireId(call, from)]))
  const message = {
    role: 'assistant',
    ...(text === '' && calls.length > 0 ? {} : { content: text }),
    ...Object.assign({}, ...beside),
    ...(calls.length > 0 && { tool_calls: calls.map((call) => toldCall(call, from)) }),
  }
  return { message, idOf: (callId) => ids.get(callId) ?? callId }
}

type Call = TurnItem & { type: 'tool_call' }

const rawOf = (call: Call, from: Origin): Fields => (call.from === from ? fieldsIn(call.raw) : {})

/** The id that the model gave to its call, or ours where it gave none. */
function wireId(call: Call, from: Origin): unknown {
  const { id } = rawOf(call, from)
  return idIn(id) === undefined ? call.callId : id
}

function toldCall(call: Call, from: Origin): Fields {
  const raw = rawOf(call, from)
  const called = fieldsIn(raw['function'])
  return { type: 'function', ...raw, id: wireId(call, from), function: { name: call.name, arguments: call.arguments, ...called } }
}
