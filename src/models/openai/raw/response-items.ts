import type OpenAI from 'openai'
import { PHASES, type TurnItem } from '../../../core/run.ts'
import { callIn, fieldsIn, idIn, listIn, reasoningIn, textIn, type Fields } from '../../foreign.ts'
import { kept, keptFrom, withoutField, type Origin } from '../../raw/keep.ts'

// Items of a response: as items of a turn, and as they are told again. Without an origin nothing is kept but reasoning: a hosted answer is not told again.

export function itemsOfOutput(item: Fields, from: Origin | undefined): TurnItem[] {
  switch (item['type']) {
    case 'message':
      return messageItems(item, from)
    case 'function_call':
      return [callItem(item, from)]
    case 'reasoning':
      return [from === undefined ? reasoningIn(item) : wholeItem(item, from)].flat()
    default:
      return from === undefined ? [] : wholeItem(item, from)
  }
}

/** What has no words of ours. */
function wholeItem(item: Fields, from: Origin): TurnItem[] {
  const raw = kept(item)
  return raw === undefined ? [] : [{ type: 'reasoning', raw, from }]
}

function callItem(item: Fields, from: Origin | undefined): TurnItem {
  const { name, arguments: args, ...rest } = item
  const words = typeof args === 'string' || args === null || args === undefined ? {} : { arguments: args }
  const call = callIn({ id: item['call_id'], name, arguments: args })
  return from === undefined ? call : { ...call, ...keptFrom({ ...rest, ...words }, from) }
}

/** The parts of one message are one text. */
function messageItems(item: Fields, from: Origin | undefined): TurnItem[] {
  const { content, ...rest } = item
  const parts = typeof content === 'string' ? [{ type: 'output_text', text: content }] : listIn(content)
  const texts = parts.flatMap(({ type, text }) => (type === 'output_text' ? [textIn(text) ?? ''] : []))
  const refusals = parts.flatMap(({ type, refusal }): TurnItem[] => (type === 'refusal' ? [{ type: 'refusal', text: textIn(refusal) ?? '' }] : [])) // prettier-ignore
  const text = texts.join('')
  // What says nothing may still be what stands behind its reasoning.
  if (text === '' && refusals.length === 0) return from === undefined ? [] : wholeItem(item, from)
  if (texts.length === 0) return refusals
  const phase = PHASES.find((one) => one === item['phase'])
  const raw = { ...rest, content: texts.length === 1 && Array.isArray(content) ? withoutText(content) : content }
  return [...refusals, { type: 'message', text, ...(phase && { phase }), ...(from !== undefined && keptFrom(raw, from)) }]
}

/** The text of the only part that has one stands in the item. */
const withoutText = (content: readonly unknown[]): unknown[] =>
  content.map((part) => (fieldsIn(part)['type'] === 'output_text' ? withoutField(fieldsIn(part), 'text') : part))

const withText = (content: unknown, text: string): unknown =>
  Array.isArray(content)
    ? content.map((part: unknown) =>
        fieldsIn(part)['type'] === 'output_text' && !('text' in fieldsIn(part)) ? { ...fieldsIn(part), text } : part,
      )
    : content

export interface ToldItems {
  items: Fields[]
  /** What the output of a call names. */
  idOf: (callId: string) => unknown
}

/** Items as they are told again. `isStored`: the provider may keep answers, so that ids mean something to it. */
export function toldItems(items: readonly TurnItem[], from: Origin, isStored: boolean): ToldItems {
  const ids = new Map<string, unknown>()
  const told = items.flatMap((item): Fields[] => {
    switch (item.type) {
      case 'message':
        return [
          item.from === from ? { ...fieldsIn(item.raw), content: withText(fieldsIn(item.raw)['content'], item.text) } : plain(item.text),
        ]
      case 'refusal':
        return [plain(item.text)]
      case 'tool_call': {
        const raw = item.from === from ? fieldsIn(item.raw) : {}
        const id = idIn(raw['call_id']) === undefined ? item.callId : raw['call_id']
        ids.set(item.callId, id)
        return [{ type: 'function_call', name: item.name, arguments: item.arguments, ...raw, call_id: id }]
      }
      case 'reasoning':
        return item.from === undefined || item.from === from ? [fieldsIn(item.raw)] : []
    }
  })
  // Thoughts that nothing followed are refused.
  const last = told.findLastIndex(({ type }) => type !== 'reasoning')
  const followed = told.slice(0, last + 1)
  return { items: isStored ? followed : followed.flatMap(unstored), idOf: (callId) => ids.get(callId) ?? callId }
}

const plain = (text: string): Fields => ({ type: 'message', role: 'assistant', content: text })

/** What a provider that keeps nothing is asked for: thoughts that it alone can read. */
export const ENCRYPTED: OpenAI.Responses.ResponseIncludable[] = ['reasoning.encrypted_content']

/** What is not stored has no id. Reasoning that is neither encrypted nor written out says nothing without one. */
export function unstored(item: Fields): Fields[] {
  const isEmpty = item['type'] === 'reasoning' && !item['encrypted_content'] && listIn(item['content']).length === 0
  return isEmpty ? [] : [withoutField(item, 'id')]
}
