import { isObject } from '../json/object.ts'
import { isMap, isScalar, Scalar, type Document } from 'yaml'
import { z } from 'zod'
import { suggest } from '../near.ts'

/** What an issue is about, for a person: the path of the key, and what is wrong with it. */
export interface Explained {
  path: readonly PropertyKey[]
  message: string
}

/**
 * Says what a schema has against a value, with its cure; the schema and the document that holds the value help to find it. A value that is missing is told as such when it was
 * checked with `reportInput`. No message holds the text of a value.
 */
export function explainIssue(issue: z.core.$ZodIssue, from: { schema?: z.ZodType; document?: Document } = {}): Explained[] {
  const { path } = issue
  if (issue.code !== 'unrecognized_keys') return [{ path, message: messageOf(issue, from.document) }]
  const known = from.schema && knownKeys(from.schema, path)
  return issue.keys.map((key) => ({
    path: [...path, key],
    message: `is not a known key; ${known ? suggest(key, known) : 'correct its name or take it out'}`,
  }))
}

function messageOf(issue: z.core.$ZodIssue, document: Document | undefined): string {
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue, document)
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`
    case 'invalid_key':
      return issue.issues.map(({ message }) => message).join('; ')
    case 'too_small':
      if (issue.origin === 'string' || issue.origin === 'array') return 'is empty'
      return `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`
    case 'too_big':
      return `must be at most ${issue.maximum}`
    default:
      return issue.message
  }
}

/** A schema's own words begin in another way. */
const ZOD_WORDS = 'Invalid input'

function wrongType({ path, expected, input, message }: z.core.$ZodIssueInvalidType, document: Document | undefined): string {
  const isOwn = !message.startsWith(ZOD_WORDS)
  const must = isOwn ? message : `must be ${article(expected)}`
  if (input === undefined) return `is missing; ${swallowed(path, document) ?? `it ${must}`}`
  if (input === null) return `is empty; it ${must}`
  return isOwn ? must : `${must}${CURES[expected]?.(input) ?? ''}`
}

/** What makes the value that stands there one of the type that is wanted. */
const CURES: Partial<Record<string, (input: unknown) => string>> = {
  string: () => '; put it in quotes',
  array: (input) => (isObject(input) ? '; begin each entry with a dash (-)' : '; put it in square brackets'),
}

/** A key at the top that became part of the text above it, by its indentation. */
function swallowed(path: readonly PropertyKey[], document: Document | undefined): string | undefined {
  const [key] = path
  const contents = document?.contents
  if (path.length !== 1 || !isMap(contents)) return undefined
  const lines = new RegExp(`^[ ]*${String(key).replaceAll(/[^\w]/g, '\\$&')}:`, 'm')
  const above = contents.items.find(
    ({ value }) =>
      isScalar(value) && (value.type === Scalar.BLOCK_LITERAL || value.type === Scalar.BLOCK_FOLDED) && lines.test(String(value.value)),
  )
  return above && `a line ${String(key)}: stands in the text of ${String(above.key)}: indent it less, as the other keys are`
}

const article = (type: string) =>
  ({
    string: 'a text',
    record: 'a mapping',
    object: 'a mapping',
    array: 'a list',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
  })[type] ?? type

/** The keys that a schema knows at a path. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown[] = [z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })]
  for (const part of path) at = at.flatMap((one) => below(one, String(part)))
  const keys = at.flatMap(alternatives).flatMap(({ properties }) => Object.keys(properties ?? {}))
  return [...new Set(keys)].filter((key) => !key.startsWith('$'))
}

const alternatives = (schema: unknown): Record<string, unknown>[] =>
  isObject(schema) ? [schema, ...[schema['anyOf'] ?? [], schema['allOf'] ?? []].flat(2).flatMap(alternatives)] : []

const below = (schema: unknown, part: string): unknown[] =>
  alternatives(schema).flatMap(({ properties, additionalProperties, items }) =>
    isObject(properties) && Object.hasOwn(properties, part) ? [properties[part]] : [additionalProperties ?? items ?? []].flat(),
  )
