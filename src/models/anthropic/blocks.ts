import { createHash } from 'node:crypto'
import { PHASES, type TurnItem } from '../../core/run.ts'
import { parseDigits, tryParse } from '../../lib/json/parse.ts'
import { isObject } from '../../lib/json/object.ts'
import { callIn, fieldsIn, textIn, type Fields } from '../foreign.ts'
import { fieldsBeside, kept, keptFrom, MAX_ITEMS, type Origin } from '../raw/keep.ts'

// Blocks of a message: as items of a turn, and as they are told again. Without an origin nothing is kept beside the words: a hosted answer is not told again.

/** The blocks of a message as items. */
export const itemsOfBlocks = (blocks: readonly Fields[], from: Origin | undefined): TurnItem[] =>
  (from === undefined ? blocks : blocks.slice(0, MAX_ITEMS + 1)).flatMap((block) => itemsOfBlock(block, from))

function itemsOfBlock(block: Fields, from: Origin | undefined): TurnItem[] {
  switch (block['type']) {
    case 'text': {
      const text = textIn(block['text']) ?? ''
      const beside = fieldsBeside(block, 'type', 'text')
      const raw = from !== undefined && Object.keys(beside).length > 0 ? keptFrom(beside, from) : {}
      const phase = PHASES.find((one) => one === block['phase'])
      return text === '' ? [] : [{ type: 'message', text, ...(phase && { phase }), ...raw }]
    }
    case 'tool_use': {
      const { id, name, input, ...rest } = block
      const call = callIn({ id, name, arguments: input ?? {} })
      return [from === undefined ? call : { ...call, ...keptFrom(fieldsBeside(rest), from) }]
    }
    default:
      return from === undefined || typeof block['type'] !== 'string' ? [] : wholeItem(block, from)
  }
}

/** A block as it is sent: the input of a call came as a text where it was streamed. */
export function asSent(block: Fields): Fields {
  const { input } = block
  if (typeof input !== 'string') return block
  const value = tryParse(input, parseDigits)
  return { ...block, input: isObject(value) ? value : {} }
}

/** What has no words of ours. */
function wholeItem(block: Fields, from: Origin): TurnItem[] {
  const raw = kept(asSent(block))
  return raw === undefined ? [] : [{ type: 'reasoning', raw, from }]
}

/** A text without a letter is refused. */
export const isBlank = (text: string): boolean => text.trim() === ''

const THOUGHTS = new Set<unknown>(['thinking', 'redacted_thinking'])
export const isThought = (block: Fields): boolean => THOUGHTS.has(block['type'])

/** Items as blocks of a message of the assistant. Thoughts go to whom they came from; those that nothing followed are refused. */
export function toldBlocks(items: readonly TurnItem[], from: Origin): Fields[] {
  const told = items.flatMap((item): Fields[] => {
    switch (item.type) {
      case 'message':
        return isBlank(item.text) ? [] : [{ type: 'text', text: item.text, ...(item.from === from && fieldsIn(item.raw)) }]
      case 'refusal':
        return isBlank(item.text) ? [] : [{ type: 'text', text: item.text }]
      case 'tool_call':
        return [
          {
            ...(item.from === from && fieldsIn(item.raw)),
            type: 'tool_use',
            id: wireId(item.callId),
            name: item.name,
            input: inputOf(item.arguments),
          },
        ]
      case 'reasoning':
        return item.from === from ? [fieldsIn(item.raw)] : []
    }
  })
  return told.slice(0, told.findLastIndex((block) => !isThought(block)) + 1)
}

/** Arguments have to be an object: what is none is told as the text that it was. */
function inputOf(text: string): Fields {
  const value = text.trim() === '' ? {} : tryParse(text, parseDigits)
  return isObject(value) ? value : { invalid_json: text }
}

const ID = /^[\w-]{1,64}$/

/** The id of a call as this API takes it; ids of other providers may have other characters. The same each time. */
export const wireId = (callId: string): string =>
  ID.test(callId) ? callId : `toolu_${createHash('sha256').update(callId).digest('hex').slice(0, 32)}`
