// What a large result looks like, so that a model knows how to read it: of JSON its lists, fields and types; of lines their number and the head of a table.
import { isObject } from '../../../lib/json/object.ts'
import { isDeeper } from '../../../lib/json/exact.ts'
import { parseDigits } from '../../../lib/json/parse.ts'
import { parsedJson } from '../../../lib/json/parsed.ts'

/** JSON that is nested deeper is text. */
const MAX_NESTED = 1000
/** Levels whose types are said. */
const MAX_DEPTH = 3
const MAX_KEYS = 15
/** Items of a list that are looked at. */
const MAX_SAMPLE = 50
/** In characters, of a name and of a shape as a whole. */
const MAX_NAME = 60
const MAX_SHAPE = 700
const MAX_HEAD = 300

/** The one JSON value of a result: all of it, or its last line, as where structured content stands below a text. `at`: where it begins, in characters. */
export function jsonIn(text: string, parse: (json: string) => unknown = parseDigits): { value: object; at: number } | undefined {
  const parseFlat = (json: string) => (isDeeper(json, MAX_NESTED) ? undefined : parse(json))
  const whole = parsedJson(text, parseFlat)
  const at = whole === undefined ? text.trimEnd().lastIndexOf('\n') + 1 : 0
  const value = at > 0 ? parsedJson(text.slice(at), parseFlat) : whole
  return value && { value, at }
}

/** A line about a result. `value` is its JSON, where it is some. */
export function shapeOf(text: string, value: object | undefined): string {
  if (value !== undefined) return `JSON: ${typeOf(value)}`
  const lines = countLines(text)
  const head = tableHead(text)
  return head === undefined ? `text of ${lines === 1 ? '1 line' : `${lines} lines`}` : `table of ${lines} lines, whose first is: ${head}`
}

/** The type of a JSON value in words, with the sizes of lists. */
export function typeOf(value: unknown): string {
  const said = typeAt([value], MAX_DEPTH)
  return said.length <= MAX_SHAPE ? said : `${said.slice(0, MAX_SHAPE).toWellFormed()}…`
}

/** Lines are counted as people do: what stands behind the last line end is one too, unless it is empty. */
export function countLines(text: string): number {
  let lines = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines++
  return text === '' || text.endsWith('\n') ? lines : lines + 1
}

/** The type of several values in one place: of a list its items, of which each may have other fields. */
function typeAt(values: readonly unknown[], depth: number): string {
  const kinds = new Set(values.map(kindOf))
  const [kind] = kinds
  if (kinds.size !== 1) return [...kinds].toSorted().join(' or ')
  if (kind === 'array') return typeOfLists(values.filter(Array.isArray), depth)
  return kind === 'object' ? typeOfObjects(values.filter(isObject), depth) : (kind ?? 'nothing')
}

function typeOfLists(lists: readonly unknown[][], depth: number): string {
  const sizes = lists.map(({ length }) => length)
  const size = sizes.length === 1 ? `array of ${sizes[0]}` : 'array'
  const items = lists.flatMap((list) => list.slice(0, MAX_SAMPLE)).slice(0, MAX_SAMPLE)
  return depth === 0 || items.length === 0 ? size : `${size}${sizes.length === 1 ? ', each ' : ' of '}${typeAt(items, depth - 1)}`
}

function typeOfObjects(objects: readonly Record<string, unknown>[], depth: number): string {
  if (depth === 0) return 'object'
  const names = new Set<string>()
  for (const one of objects)
    for (const name in one) {
      if (names.size > MAX_KEYS) break
      names.add(name)
    }
  const fields = [...names].slice(0, MAX_KEYS).map((name) => {
    const having = objects.filter((one) => Object.hasOwn(one, name))
    const optional = having.length < objects.length ? '?' : ''
    return `${shortName(name)}${optional}: ${typeAt(
      having.map((one) => one[name]),
      depth - 1,
    )}`
  })
  return `{${[...fields, ...(names.size > MAX_KEYS ? ['…'] : [])].join(', ')}}`
}

const shortName = (name: string) => (name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME).toWellFormed()}…`)

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

const SEPARATORS = [',', ';', '\t', '|']
/** Lines that must have as many separators as the first. */
const MIN_ROWS = 2

/** The first line of a table: one with separators, and as many of them as the lines after it. */
function tableHead(text: string): string | undefined {
  const [head = '', ...rows] = text.slice(0, 10_000).split('\n', MIN_ROWS + 1)
  if (head.length > MAX_HEAD || rows.length < MIN_ROWS) return undefined
  const isTable = SEPARATORS.some((one) => {
    const columns = head.split(one).length
    return columns > 1 && rows.every((row) => row.split(one).length >= columns)
  })
  return isTable ? head.trimEnd() : undefined
}
