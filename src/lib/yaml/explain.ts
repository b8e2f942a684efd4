import { isMap, isScalar, isSeq, Scalar, type Document } from 'yaml'
import type { z } from 'zod'
import { isObject } from '../json/object.ts'
import { listNames, nearest } from '../near.ts'
import { nameEntries } from './entries.ts'
import { knownKeys, placesOf } from './keys.ts'

/** What an issue is about, for a person: the path of the key, and what is wrong with it. */
export interface Explained {
  path: readonly PropertyKey[]
  message: string
  /** Where it stands, when that is in the text of another key: so many lines below that one. */
  within?: { path: readonly PropertyKey[]; lines: number }
  /** For a key that is not known, the one that was meant. */
  meant?: string
  /** It is about the form of the value, which may begin below its key. */
  isOfValue?: true
  /** The schema itself says where a key belongs that stands here: what is missing beside it follows from that. */
  isPlaced?: true
}

/** Where an issue was found. */
interface Found {
  schema?: z.ZodType
  document?: Document
  /** What to do about keys that there are not and that people write, by their dotted paths. */
  advice?: Readonly<Record<string, string>>
}

/**
 * Says what a schema has against a value, with its cure; the schema and the document that holds the value help to find it. A value that is missing is told as such when it was
 * checked with `reportInput`; one whose key is there with a slip of the pen is told once. No message holds the text of a value.
 */
export function explainIssues(issues: readonly z.core.$ZodIssue[], from: Found = {}): Explained[] {
  const explained = issues.flatMap((issue) => explainIssue(issue, from).map((one) => ({ one, isMissing: isMissing(issue) })))
  const meant = new Set(explained.flatMap(({ one }) => (one.meant === undefined ? [] : [pathKey([...one.path.slice(0, -1), one.meant])])))
  const placed = new Set(explained.flatMap(({ one }) => (one.isPlaced ? [pathKey(one.path.slice(0, -1))] : [])))
  const isSaid = (path: readonly PropertyKey[]) => meant.has(pathKey(path)) || placed.has(pathKey(path.slice(0, -1)))
  return explained.filter(({ one, isMissing: missing }) => !missing || !isSaid(one.path)).map(({ one }) => one)
}

const pathKey = (path: readonly PropertyKey[]) => path.map(String).join('\0')
const isMissing = (issue: z.core.$ZodIssue) => 'input' in issue && issue.input === undefined

function explainIssue(issue: z.core.$ZodIssue, from: Found): Explained[] {
  const { path } = issue
  if (issue.code === 'invalid_union') return explainUnion(issue, from)
  if (issue.code !== 'unrecognized_keys') return [explainValue(issue, from)]
  if (!issue.message.startsWith('Unrecognized')) return [{ path: [...path, issue.keys[0] ?? ''], message: issue.message, isPlaced: true }]
  return issue.keys.map((key) => explainKey([...path, key], key, from))
}

function explainKey(path: readonly PropertyKey[], key: string, { schema, document, advice = {} }: Found): Explained {
  const advised = advice[path.map(String).join('.')]
  if (advised !== undefined) return { path, message: `is not a known key; ${advised}` }
  if (!schema) return { path, message: 'is not a known key; correct its name or take it out' }
  const known = knownKeys(schema, path.slice(0, -1))
  const meant =
    nearest(key, known) ??
    nameOfParent(path, known) ??
    known.find((one) => plain(one) === plain(key)) ??
    longerThan(key, known) ??
    endOf(key, known)
  if (meant !== undefined) return { path, message: `is not a known key; did you mean ${meant}?`, meant }
  const place = placeOf(path, key, schema, document)
  if (place === undefined) return { path, message: `is not a known key; ${listNames(known)}` }
  return {
    path,
    message: `is not a known key here; ${place === '' ? 'it stands at the top: indent it less' : `it stands under ${place}:`}`,
  }
}

/** A key that says once more what its mapping is: `model: { model: … }` for `model: { name: … }`. */
const nameOfParent = (path: readonly PropertyKey[], known: readonly string[]) =>
  path.length > 1 && path.at(-1) === path.at(-2) ? known.find((one) => one === 'name') : undefined

const LEAST_WORD = 3

/** The one key whose last word is the one that was written: `url` for `baseUrl`. */
function longerThan(key: string, known: readonly string[]): string | undefined {
  const [found, ...others] = key.length < LEAST_WORD ? [] : known.filter((one) => one.toLowerCase().endsWith(key.toLowerCase()))
  return others.length > 0 ? undefined : found
}

/** A name without case and joints: max_output_tokens is maxOutputTokens. */
const plain = (name: string) => name.replaceAll(/[-_]/g, '').toLowerCase()

/** The one key that is the last word of the one that was written: `tokens` for `maxTokens`. */
function endOf(key: string, known: readonly string[]): string | undefined {
  const word =
    key
      .split(/(?=[A-Z])|[_-]/)
      .at(-1)
      ?.toLowerCase() ?? ''
  return word.length < LEAST_WORD ? undefined : known.find((one) => one.toLowerCase() === word)
}

/** The one place further in or further out at which the key is known, and is not there yet. */
function placeOf(path: readonly PropertyKey[], key: string, schema: z.ZodType, document: Document | undefined): string | undefined {
  const parent = path.slice(0, -1)
  const places = placesOf(schema, key)
  const [place] = places
  const isOneLine = place?.every((part, at) => at >= parent.length || part === parent[at] || part === '<name>')
  if (!place || places.length > 1 || !isOneLine || document?.hasIn([...place, key])) return undefined
  return place.filter((part) => part !== '0').join('.')
}

/** Of the forms that a value may have, the one that it came nearest to: what is wrong further in, or with the value and not with its type. */
function explainUnion({ path, errors, message }: z.core.$ZodIssueInvalidUnion, from: Found): Explained[] {
  const isOfType = (issues: readonly z.core.$ZodIssue[]) => !issues.some((one) => one.code === 'invalid_type' && one.path.length === 0)
  if (!message.startsWith(ZOD_WORDS)) return [{ path, message }]
  const nearestForm = errors.find((issues) => issues.length > 0 && isOfType(issues))
  const at = (issue: z.core.$ZodIssue) => ({ ...issue, path: [...path, ...issue.path] })
  if (nearestForm) return explainIssues(nearestForm.map(at), from)
  const forms = errors.flatMap((issues) => issues.slice(0, 1).map((issue) => explainValue(at(issue), {}).message))
  return [{ path, message: forms.length > 0 ? [...new Set(forms)].join(', or ') : message }]
}

function explainValue(issue: z.core.$ZodIssue, from: Found): Explained {
  const { path } = issue
  switch (issue.code) {
    case 'invalid_type':
      return explainType(issue, from)
    case 'invalid_value':
      return {
        path,
        message: `${isOwnWord(issue.message) ? issue.message : `must be ${issue.values.map(String).join(' or ')}`}${meantValue(issue)}`,
      }
    case 'invalid_key':
      return { path, message: issue.issues.map(({ message }) => message).join('; ') }
    case 'too_small':
      if (!issue.message.startsWith(ZOD_SIZE)) return { path, message: issue.message }
      if (issue.origin === 'string') return { path, message: 'is empty; write a text, or take it out' }
      if (issue.origin === 'array') return { path, message: 'is empty; name at least one, or take it out' }
      return { path, message: `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}` }
    case 'too_big':
      return { path, message: `must be at most ${issue.maximum}` }
    default:
      return { path, message: issue.message }
  }
}

function meantValue({ input, values }: z.core.$ZodIssueInvalidValue): string {
  const near = typeof input === 'string' ? nearest(input, values.map(String)) : undefined
  return near === undefined ? '' : `; did you mean ${near}?`
}

const isOwnWord = (message: string) => !message.startsWith('Invalid ')

/** A schema's own words begin in another way. */
const ZOD_WORDS = 'Invalid input'
const ZOD_SIZE = 'Too small'

function explainType({ path, expected, input, message }: z.core.$ZodIssueInvalidType, { schema, document }: Found): Explained {
  const isOwn = !message.startsWith(ZOD_WORDS)
  const must = isOwn ? message : `must be ${article(expected)}`
  if (input === undefined) {
    const within = swallowed(path, document)
    if (!within) return { path, message: `is missing; it ${must}` }
    const above = within.path.map(String).join('.')
    return { path, message: `is missing: it stands in the text of ${above}; indent it less, as the other keys are`, within }
  }
  if (input === null) return { path, message: `is empty; it ${must}` }
  if (isOwn) return { path, message: must, isOfValue: true }
  const keys = schema && path.length > 0 ? knownKeys(schema, expected === 'array' ? [...path, 0] : path) : []
  return { path, message: must + cureOf(expected, input, keys, document?.getIn(path, true)), isOfValue: true }
}

const MAX_KEYS = 8

/** What makes the value that stands there one of the type that is wanted; `keys` are those of its mapping, or of each of its entries. */
function cureOf(expected: string, input: unknown, keys: readonly string[], node: unknown): string {
  const named = `${keys.slice(0, MAX_KEYS).join(', ')}${keys.length > MAX_KEYS ? ', …' : ''}`
  switch (expected) {
    case 'string':
      if (Array.isArray(input)) return `; write ${input.length > 1 ? 'one text' : 'it'} without ${bordersOf(node)}`
      return isObject(input) ? ', and not a mapping' : '; put it in quotes'
    case 'array':
      if (keys.length > 0) return `; begin each entry with a dash (-), and write it with ${named}`
      return isObject(input) ? '; begin each entry with a dash (-)' : '; put it in square brackets'
    case 'number':
    case 'int':
      if (typeof input === 'string' && /^\d+(?:\.\d+)? ?[km]$/i.test(input)) return '; write all of its digits, such as 200000 for 200k'
      return typeof input === 'string' ? `; write digits alone, without quotes${/_/.test(input) ? ', _' : ''} or a unit` : ''
    case 'record':
      return isSeq(node) ? nameEntries(node) : ''
    case 'object':
      return keys.length > 0 ? ` with ${named}` : ''
    default:
      return ''
  }
}

/** What makes a list of what stands there. */
const bordersOf = (node: unknown) => (isSeq(node) ? (node.flow ? 'the square brackets' : 'the dash before it') : 'the list')

/** A key at the top that became part of the text above it, by its indentation. */
function swallowed([key, ...further]: readonly PropertyKey[], document: Document | undefined): Explained['within'] {
  const contents = document?.contents
  if (further.length > 0 || !isMap(contents)) return undefined
  for (const { key: above, value } of contents.items) {
    if (!isScalar(value) || (value.type !== Scalar.BLOCK_LITERAL && value.type !== Scalar.BLOCK_FOLDED)) continue
    const at = String(value.value)
      .split('\n')
      .findIndex((line) => line.trimStart().startsWith(`${String(key)}:`))
    if (at >= 0) return { path: [String(above)], lines: value.type === Scalar.BLOCK_LITERAL ? at + 1 : 0 }
  }
  return undefined
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
