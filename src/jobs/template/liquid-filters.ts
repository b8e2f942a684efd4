// What Liquid's own filters may be given. They make something of whatever comes: "[object Object]", an empty text of null, 0 of a text that is no number.
import { toValue, type Liquid } from 'liquidjs'
import { toText } from './values.ts'

const TEXT =
  'append prepend upcase downcase capitalize strip lstrip rstrip strip_newlines strip_html squish normalize_whitespace newline_to_br replace replace_first replace_last remove remove_first remove_last truncate truncatewords split escape escape_once xml_escape url_encode url_decode cgi_escape uri_escape slugify base64_encode base64_decode sha256 hmac_sha256 number_of_words'
const NUMBER = 'plus minus times divided_by modulo abs ceil floor round at_least at_most to_integer'
const JOINING = 'join array_to_sentence_string'
/** They would find nothing in a mapping, and count null as nothing. */
const PARTS = 'size first last slice'

/** Holds Liquid's filters to values that they have an answer for; any other is an `Error` with its cure. */
export function guardFilters(liquid: Liquid): void {
  guard(liquid, TEXT, (value, args) => [toText(value), ...args.map(requireText)])
  guard(
    liquid,
    NUMBER,
    (value, args) => [toNumber(value), ...args.map((arg) => (typeof arg === 'boolean' ? arg : toNumber(arg)))],
    requireFinite,
  )
  guard(liquid, JOINING, (value, args) => [listOf(value).map(toText), ...args.map(requireText)])
  guard(liquid, PARTS, (value, args) => [requireParts(value), ...args])
  guard(liquid, 'sum', (value, args) => {
    const [field] = args
    for (const item of listOf(value)) toNumber(field === undefined ? item : fieldOf(item, toText(field)))
    return [value, ...args]
  })
  // The same scope gives the same text.
  Reflect.deleteProperty(liquid.filters, 'sample')
}

type Arguments = readonly [value: unknown, ...args: unknown[]]

function guard(
  liquid: Liquid,
  names: string,
  admit: (value: unknown, args: readonly unknown[]) => Arguments,
  check?: (result: unknown) => void,
): void {
  for (const name of names.split(' ')) {
    const filter = liquid.filters[name]
    if (typeof filter !== 'function') throw new Error(`Liquid has no filter ${name}`)
    liquid.registerFilter(name, function (this: unknown, value: unknown, ...args: unknown[]): unknown {
      const result: unknown = Reflect.apply(filter, this, admit(value, args))
      check?.(result)
      return result
    })
  }
}

/** An argument as it was given, when it has a text. */
function requireText(arg: unknown): unknown {
  toText(arg)
  return arg
}

function requireParts(given: unknown): unknown {
  const value: unknown = toValue(given)
  return typeof value === 'string' || Array.isArray(value) ? value : noParts(value)
}

function noParts(value: unknown): never {
  if (value === null || value === undefined)
    throw new Error('there is nothing here (null); add | default: "" before it, or correct the input')
  throw new Error(
    `${typeof value === 'object' ? 'a mapping' : JSON.stringify(value)} is no text and no list; name one of its fields, or add | json`,
  )
}

const NUMERIC = /^\s*-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?\s*$/

function toNumber(given: unknown): number {
  const value: unknown = toValue(given)
  if (typeof value === 'number') return value
  if (typeof value === 'string' && NUMERIC.test(value)) return Number(value)
  throw new Error(
    `${value === null || value === undefined ? 'nothing' : JSON.stringify(value)} is no number; add | default: 0 before it, or correct the input`,
  )
}

function requireFinite(result: unknown): void {
  if (!Number.isFinite(result)) throw new Error('the result is no number, such as after a division by 0')
}

function listOf(given: unknown): readonly unknown[] {
  const value: unknown = toValue(given)
  return Array.isArray(value) ? value : value === null || value === undefined ? noParts(value) : [value]
}

const fieldOf = (item: unknown, field: string): unknown =>
  typeof item === 'object' && item !== null ? Object.entries(item).find(([key]) => key === field)?.[1] : undefined
