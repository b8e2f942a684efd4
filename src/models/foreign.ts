import { randomUUID } from 'node:crypto'
import type { TurnItem, Usage } from '../core/run.ts'
import { isObject } from '../lib/json/object.ts'
import { wellFormed, wellFormedJson } from '../lib/json/well-formed.ts'

// Everything that a provider says is read here: the client types it as the real API answers, and servers that are compatible with it answer otherwise.

export type Fields = Readonly<Record<string, unknown>>

/** An object; one without fields for anything else. */
export const fieldsIn = (value: unknown): Fields => (isObject(value) ? value : {})

/** The objects of a list. */
export const listIn = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isObject) : [])

/** Whether a field says anything. Servers that fill in each field say of an error that there is none by `null`, `""`, `false`, `{}`, or an object of such. */
export function isSaid(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return false
  return typeof value !== 'object' || Object.values(value).some(isSaid)
}

/** A text without halves of characters; undefined for anything else. */
export const textIn = (value: unknown): string | undefined => (typeof value === 'string' ? value.toWellFormed() : undefined)

/** A text, or the texts of a list of parts. */
export const textOfParts = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : listIn(value)
        .map(({ text }) => (typeof text === 'string' ? text : ''))
        .join('')

/** Any value as a text: as it is, or as JSON. */
export const shownIn = (value: unknown): string => textIn(value) ?? wellFormedJson(JSON.stringify(value ?? ''))

/**
 * Arguments of a call as JSON text: some servers give the object itself, or nothing where there are none. An object with a number that has lost its digits by now is no JSON
 * any more, so that the model is told and no tool is given another number.
 */
export function argumentsIn(value: unknown): string {
  if (typeof value === 'string') return wellFormedJson(value)
  if (value === null || value === undefined) return ''
  let isLost = false
  const json = JSON.stringify(value, (_, one: unknown) => {
    if (typeof one === 'number' && Math.abs(one) > Number.MAX_SAFE_INTEGER) isLost = true
    return one
  })
  return wellFormedJson(isLost ? `A number of so many digits has to be a text: ${json}` : json)
}

/** A call of a tool. One without an id is given one, so that its result can be told. */
export const callIn = (call: { id: unknown; name: unknown; arguments: unknown }): TurnItem & { type: 'tool_call' } => ({
  type: 'tool_call',
  callId: idIn(call.id) ?? newCallId(),
  name: textIn(call.name) ?? '',
  arguments: argumentsIn(call.arguments),
})

/** An id for a call that has none of its own. */
export const newCallId = (): string => `call_${randomUUID()}`

/** Longest id that is kept. */
const MAX_ID = 512

/** An id; undefined for what cannot be one. */
export function idIn(value: unknown): string | undefined {
  const id = typeof value === 'number' ? String(value) : typeof value === 'string' && value.length <= MAX_ID ? value.toWellFormed() : ''
  return id.trim() === '' ? undefined : id
}

/** Reasoning as it came, to be sent back. */
export const reasoningIn = (raw: Fields): TurnItem => ({ type: 'reasoning', raw: wellFormed(raw) })

/** Most tokens that one answer is believed to have. */
const MOST_TOKENS = 2 ** 40

/** A count of tokens, whole; undefined for what cannot be one. */
function tokensIn(value: unknown): number | undefined {
  const n = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof n === 'number' && n >= 0 && n <= MOST_TOKENS ? Math.round(n) : undefined
}

/**
 * Counts of tokens: whole, not negative, and no more of a kind than of all. Null where they are not known: one is missing or cannot be, a request is said to have had none, or an
 * answer that says something.
 */
export function usageIn(
  usage: { input: unknown; cached: unknown; cacheWrite?: unknown; output: unknown; reasoning: unknown },
  saysSomething: boolean,
): Usage | null {
  const [inputTokens, outputTokens] = [tokensIn(usage.input), tokensIn(usage.output)]
  if (!inputTokens || outputTokens === undefined || (outputTokens === 0 && saysSomething)) return null
  const cachedTokens = Math.min(tokensIn(usage.cached) ?? 0, inputTokens)
  const cacheWrite = tokensIn(usage.cacheWrite)
  return {
    inputTokens,
    cachedTokens,
    ...(cacheWrite !== undefined && { cacheWriteTokens: Math.min(cacheWrite, inputTokens - cachedTokens) }),
    outputTokens,
    reasoningTokens: Math.min(tokensIn(usage.reasoning) ?? 0, outputTokens),
  }
}

/** Longest name of a tier that is kept. */
const MAX_TIER = 64

/** The service tier that an answer says it used; undefined where it says none. `auto` is none yet. */
export function tierIn(value: unknown): string | undefined {
  const tier = textIn(value)?.trim().toLowerCase() ?? ''
  return tier === '' || tier === 'auto' || tier.length > MAX_TIER ? undefined : tier
}
