import type { TurnItem } from '../../core/run.ts'
import { isDeeper } from '../../lib/json/exact.ts'
import { wellFormed } from '../../lib/json/well-formed.ts'
import type { Exchange } from '../model.ts'
import { brokenAnswer, type Answered } from '../errors/endings.ts'
import { newCallId, type Fields } from '../foreign.ts'

// What a model said is told to it again as it came: servers put things beside the words that they look for in the next request, such as signatures and encrypted thoughts.

/** Most characters of JSON of one item that are kept; a larger one is told again in its words alone. */
export const MAX_CHARS = 2_000_000
const MAX_DEPTH = 64

/** Who said it, by API and provider: nobody else is sent what is kept. */
export type Origin = `${Api} ${string}`

type Api = 'responses' | 'chat' | 'anthropic'

/** `mark`: of a model beside another one of the provider in the same conversation. */
export const originOf = (api: Api, provider: string, mark: string | undefined): Origin =>
  `${api} ${provider}${mark === undefined ? '' : ` ${mark}`}`

/** What is kept of an item; undefined for what is too large. */
export function kept(raw: Fields): Fields | undefined {
  const json = JSON.stringify(raw)
  return json.length > MAX_CHARS || isDeeper(json, MAX_DEPTH) ? undefined : wellFormed(raw)
}

/** What is kept beside the words of an item. */
export function keptFrom(raw: Fields, from: Origin): { raw?: Fields; from?: Origin } {
  const one = kept(raw)
  return one === undefined ? {} : { raw: one, from }
}

export const withoutField = (fields: Fields, name: string): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([one]) => one !== name))

/** The fields that are not null and not named. */
export const fieldsBeside = (fields: Fields, ...names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name, value]) => value !== null && !names.includes(name)))

/** Most items of one answer; each call costs a row, and a look at what may be done. */
export const MAX_ITEMS = 2000

/**
 * The items, each call with an id that no other call of the conversation has: some servers give the same one to each call, or none. The model goes on with its own, which are
 * in what is kept. Throws for an answer with too many items.
 */
export function withOwnIds(items: readonly TurnItem[], exchanges: readonly Exchange[], answered: Answered): TurnItem[] {
  if (items.length > MAX_ITEMS) throw brokenAnswer(answered, `says or calls more than ${MAX_ITEMS} things at once`)
  const used = new Set(exchanges.flatMap((one) => one.items.flatMap((item) => (item.type === 'tool_call' ? [item.callId] : []))))
  return items.map((item) => {
    if (item.type !== 'tool_call') return item
    const callId = used.has(item.callId) ? newCallId() : item.callId
    used.add(callId)
    return { ...item, callId }
  })
}
