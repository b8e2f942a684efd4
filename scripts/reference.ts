import { z } from 'zod'

type Node = z.core.JSONSchema.JSONSchema

const ANY_KEY = '<name>'
/** How the pattern of a duration begins (lib/duration.ts): its type is better said in a word. */
const DURATION = '^(\\d+)(ms|'

/** JSON Schema's types in the words of somebody who writes YAML. */
const WORDS = new Map([
  ['object', 'mapping'],
  ['string', 'text'],
  ['boolean', '`true`, `false`'],
])

/** Both ends, as they are written in a file. */
export interface Range {
  least: string | undefined
  most: string | undefined
  /** The least itself is too small. */
  isOpen: boolean
}

export interface Key {
  /** With dots between its parts; `<name>` stands for any key, `[]` for each entry of a list. */
  key: string
  type: string
  /** As it is written in a file; `required` where there is none and the key must be there. */
  default: string
  /** The smallest and the largest value of a number or a duration; empty for anything else. */
  range: Range | undefined
  sentence: string
}

/** Every key of a file format, each once, in the order of the schema. Throws for a key without a sentence: a reference has none that is not explained. */
export function keysOf(schema: z.ZodType): Key[] {
  const keys: Key[] = []
  const walk = (node: Node, path: string) => {
    for (const [name, child] of Object.entries(node.properties ?? {})) {
      const key = path === '' ? name : `${path}.${name}`
      if (name.startsWith('$') || typeof child === 'boolean') continue
      if (child.description === undefined) throw new Error(`${key} has no sentence: give it one with describe()`)
      const isRequired = node.required?.includes(name) ?? false
      keys.push({ key, type: typeOf(child), default: defaultOf(child, isRequired), range: rangeOf(child), sentence: child.description })
      inside(child, key)
    }
  }
  const inside = (node: Node, key: string) => {
    walk(node, key)
    if (isNode(node.items)) inside(node.items, `${key}[]`)
    if (isNode(node.additionalProperties)) inside(node.additionalProperties, `${key}.${ANY_KEY}`)
    for (const one of node.anyOf ?? []) if (isNode(one)) inside(one, key)
  }
  inside(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), '')
  return keys
}

/** Where a file format takes a free text, or a key of somebody's own (`<name>` at its end): each is a name of something, or says that it is none. */
export function namePlaces(schema: z.ZodType): string[] {
  const places = new Set<string>()
  const walk = (node: Node, key: string) => {
    for (const [name, child] of Object.entries(node.properties ?? {}))
      if (isNode(child) && !name.startsWith('$')) walk(child, key === '' ? name : `${key}.${name}`)
    if (isNode(node.items)) walk(node.items, `${key}[]`)
    if (isNode(node.additionalProperties)) {
      places.add(`${key}.${ANY_KEY}`)
      walk(node.additionalProperties, `${key}.${ANY_KEY}`)
    }
    for (const one of node.anyOf ?? []) if (isNode(one)) walk(one, key)
    if (typeOf(node) === 'text') places.add(key)
  }
  walk(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), '')
  return [...places]
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && !Array.isArray(value)

function typeOf(node: Node): string {
  if (node.enum) return node.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (node.anyOf) return [...new Set(node.anyOf.filter(isNode).map(typeOf))].join(' or ')
  if (node.pattern?.startsWith(DURATION)) return 'duration'
  if (node.format === 'uri') return 'URL'
  if (node.type === 'array') return `list of ${isNode(node.items) ? typeOf(node.items) : 'anything'}`
  return WORDS.get(String(node.type)) ?? String(node.type ?? 'anything')
}

/** What `duration` and `age` of lib/duration.ts say of their text. */
const texts = z.looseObject({ least: z.string(), most: z.string() })

function rangeOf(node: Node): Range | undefined {
  const text = texts.safeParse(node)
  if (text.success) return { ...text.data, isOpen: false }
  if (node.type !== 'integer' && node.type !== 'number') return undefined
  const { minimum, exclusiveMinimum, maximum } = node
  const most = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : String(maximum)
  const least = typeof exclusiveMinimum === 'number' ? exclusiveMinimum : minimum
  const isNone = least === undefined || least <= Number.MIN_SAFE_INTEGER
  return { least: isNone ? undefined : String(least), most, isOpen: typeof exclusiveMinimum === 'number' }
}

/** A range in a cell of a table. */
export function rangeText(range: Range | undefined): string {
  if (range?.least === undefined) return ''
  const { least, most, isOpen } = range
  const from = isOpen ? `more than ${least},` : most === undefined ? `from ${least}` : least
  return most === undefined ? from : `${from} to ${most}`
}

function defaultOf({ default: value }: Node, isRequired: boolean): string {
  if (value === undefined) return isRequired ? 'required' : ''
  if (typeof value === 'string') return value === '' ? '' : `\`${value}\``
  const text = JSON.stringify(value)
  // A mapping that is left out has the defaults of its keys, which have lines of their own.
  return text === '{}' || text === '[]' ? '' : `\`${text}\``
}
