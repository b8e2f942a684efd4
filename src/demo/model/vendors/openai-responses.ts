import { randomUUID } from 'node:crypto'
import type OpenAI from 'openai'
import { isItem, itemOf, itemsOf, type Item, wordOf } from './request.ts'
import { badRequest, type Refusal } from './vendor.ts'

// What OpenAI is reported to insist on at /v1/responses. The words are those of its errors, since programs read them.

type Output = OpenAI.Responses.Response['output'][number]

export interface ResponsesRules {
  refuse(body: Item): Refusal | undefined
  dress(answer: OpenAI.Responses.Response, body: Item): OpenAI.Responses.Response
}

const ENCRYPTED = 'reasoning.encrypted_content'

/** `reasons`: each answer begins with an item of reasoning, which belongs to the item after it. */
export function createResponsesRules({ reasons }: { reasons: boolean }): ResponsesRules {
  /** The reasoning that an item came with, by ids. */
  const cameWith = new Map<string, string>()
  /** Ids of items that are kept here. */
  const kept = new Set<string>()

  function reasoningFault(items: readonly Item[], body: Item): string | undefined {
    const seen = new Set<string>()
    for (const [at, item] of items.entries()) {
      const id = wordOf(item['id'])
      if (id !== '' && seen.has(id)) return `Duplicate item found with id ${id}. Remove duplicate items from your input and try again.`
      seen.add(id)
      if (item['type'] === 'reasoning') {
        if (typeof item['encrypted_content'] !== 'string' && !kept.has(id))
          return `Item with id '${id}' not found.${body['store'] === false ? ' Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item from your input.' : ''}`
        const next = items[at + 1]
        if (!next || next['role'] === 'user' || next['type'] === 'function_call_output')
          return `Item '${id}' of type 'reasoning' was provided without its required following item.`
      }
      const reasoning = cameWith.get(id)
      if (reasoning !== undefined && items[at - 1]?.['type'] !== 'reasoning')
        return `Item '${id}' of type '${wordOf(item['type'])}' was provided without its required 'reasoning' item: '${reasoning}'.`
    }
    return undefined
  }

  return {
    refuse(body) {
      const items = itemsOf(body['input'])
      const fault = reasoningFault(items, body) ?? pairFault(items)
      if (fault !== undefined) return badRequest(fault, { param: 'input' })
      return metadataFault(body) ?? formatFault(itemOf(itemOf(body['text'])['format']))
    },
    dress(answer, body) {
      if (!reasons) return answer
      const isEncrypted = Array.isArray(body['include']) && body['include'].includes(ENCRYPTED)
      const id = `rs_${randomUUID().replaceAll('-', '')}`
      const encrypted = isEncrypted ? { encrypted_content: Buffer.from(id).toString('base64') } : {}
      const reasoning: Output = { type: 'reasoning', id, summary: [], ...encrypted }
      if (body['store'] !== false) kept.add(id)
      const first = wordOf(itemOf(answer.output[0])['id'])
      if (first !== '') cameWith.set(first, id)
      return { ...answer, output: [reasoning, ...answer.output] }
    },
  }
}

/** Each call has its output, and each output its call. */
function pairFault(items: readonly Item[]): string | undefined {
  const idsOf = (type: string) => new Set(items.flatMap((item) => (item['type'] === type ? [wordOf(item['call_id'])] : [])))
  const [calls, outputs] = [idsOf('function_call'), idsOf('function_call_output')]
  for (const id of calls) if (!outputs.has(id)) return `No tool output found for function call ${id}.`
  for (const id of outputs) if (!calls.has(id)) return `No tool call found for function call output with call_id ${id}.`
  return undefined
}

const MOST_KEYS = 16
const LONGEST_KEY = 64
const LONGEST_VALUE = 512

/** Labels of a request are few and short. */
export function metadataFault(body: Item): Refusal | undefined {
  const entries = Object.entries(itemOf(body['metadata']))
  if (entries.length > MOST_KEYS)
    return badRequest(`Invalid 'metadata': too many properties. Expected at most ${MOST_KEYS}.`, { param: 'metadata' })
  const wrong = entries.find(([key, value]) => key.length > LONGEST_KEY || typeof value !== 'string' || value.length > LONGEST_VALUE)
  if (wrong)
    return badRequest(`Invalid 'metadata.${wrong[0]}': expected a string of at most ${LONGEST_VALUE} characters.`, { param: 'metadata' })
  const user = body['safety_identifier']
  return typeof user === 'string' && user.length > LONGEST_KEY
    ? badRequest(`Invalid 'safety_identifier': string too long. Expected at most ${LONGEST_KEY} characters.`, {
        param: 'safety_identifier',
      })
    : undefined
}

/** A strict schema closes each of its objects and requires each of their properties. */
export function formatFault({ strict, name, schema }: Item): Refusal | undefined {
  const at = strict === true ? openObject(itemOf(schema), []) : undefined
  if (at === undefined) return undefined
  const context = at.length === 0 ? '()' : `(${at.map((part) => `'${part}'`).join(', ')})`
  return badRequest(
    `Invalid schema for response_format '${wordOf(name)}': In context=${context}, 'additionalProperties' is required to be supplied and to be false, and 'required' to name every property.`,
    { param: 'text.format.schema', code: 'invalid_json_schema' },
  )
}

/** Where an object of the schema is open, or leaves a property out of `required`. */
function openObject(schema: Item, path: readonly string[]): readonly string[] | undefined {
  const properties = itemOf(schema['properties'])
  const names = Object.keys(properties)
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  const isObject = schema['type'] === 'object' || 'properties' in schema
  if (isObject && (schema['additionalProperties'] !== false || names.some((name) => !required.includes(name)))) return path
  const inner: [string, unknown][] = [
    ...Object.entries(properties).map(([name, one]): [string, unknown] => [`properties.${name}`, one]),
    ...Object.entries(itemOf(schema['$defs'])).map(([name, one]): [string, unknown] => [`$defs.${name}`, one]),
    ...itemsOf(schema['anyOf']).map((one, n): [string, unknown] => [`anyOf.${n}`, one]),
    ['items', schema['items']],
  ]
  for (const [name, one] of inner) {
    const found = isItem(one) ? openObject(one, [...path, name]) : undefined
    if (found) return found
  }
  return undefined
}
