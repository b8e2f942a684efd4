import { isObject } from '../../../lib/json/object.ts'
import { pointerTo } from '../../../lib/json/tree.ts'
import { cutBytes } from '../../../lib/text.ts'
import { BAD_PATH, goesOn, moreFields, NO_JSON, noSuchPath, PAGE_END, partAt, tooLargePart } from '../../words/reading.ts'
import { failed, type Page } from './page.ts'
import { jsonIn, typeOf } from './shape.ts'

const MAX_PARTS = 50
const SLICE = /^(\d{0,15}):(\d{0,15})$/

/** From the first to before the last. */
interface Slice {
  from: number
  to: number
}

interface Asked {
  id: string
  /** Most items or characters. */
  count: number
  maxBytes: number
}

/** What a path leads to: a value, or a slice of it, of each of whose items the parts after it are read. */
interface Place {
  path: string
  value: unknown
  slice: Slice | undefined
  after: readonly string[]
}

/**
 * What stands at a JSON pointer (RFC 6901) in a result, of which one part may be a slice of a list or a text (`100:200`, `*`). Items of a list, and fields of an object, are
 * lines of their own, as many as fit into `maxBytes`.
 */
export function readPath(text: string, path: string, asked: Asked): Page {
  const root = jsonIn(text)?.value
  if (root === undefined) return failed(NO_JSON)
  const place = placeAt(root, path)
  if (!place) return failed(BAD_PATH)
  if ('missing' in place) return failed(noSuchPath(place.missing, typeOf(place.in)))
  const { value } = place
  if (typeof value === 'string') return textPage(value, place, asked)
  if (Array.isArray(value)) return listPage(value, place, asked)
  return valuePage(value, place, asked)
}

function listPage(list: readonly unknown[], { path, slice, after }: Place, { id, count, maxBytes }: Asked): Page {
  const { from, to } = slice ?? { from: 0, to: Infinity }
  const end = Math.min(to, list.length)
  if (from >= list.length && from > 0) return failed(noSuchPath(`${path}/${from}`, typeOf(list)))
  const { lines, next } = partLines({ from, to: Math.min(end, from + count), maxBytes }, (at) => ({
    name: `[${at}]`,
    value: itemAt(list[at], after),
  }))
  const rest = `${path}/${next}:${to < list.length ? to : ''}${pointerTo(after)}`
  return pageOf(id, path, list, maxBytes, [...lines, next < end ? goesOn({ id, path: rest }) : PAGE_END])
}

function valuePage(value: unknown, { path }: Place, { id, count, maxBytes }: Asked): Page {
  const json = JSON.stringify(value)
  if (!isObject(value) || Buffer.byteLength(json) <= maxBytes) return pageOf(id, path, value, maxBytes, [json, PAGE_END])
  const names = Object.keys(value)
  const { lines, next } = partLines({ from: 0, to: Math.min(names.length, count), maxBytes, partBytes: maxBytes / 4 }, (at) => {
    const name = names[at] ?? ''
    return { name: `${JSON.stringify(name)}:`, value: value[name] }
  })
  return pageOf(id, path, value, maxBytes, [...lines, next < names.length ? moreFields(names.length - next) : PAGE_END])
}

/** A text is given by its characters, and as it is. */
function textPage(text: string, { path, slice }: Place, { id, count, maxBytes }: Asked): Page {
  const { from, to } = slice ?? { from: 0, to: Infinity }
  if (from >= text.length && from > 0) return failed(noSuchPath(`${path}/${from}:`, typeOf(text)))
  const end = Math.min(to, text.length)
  const part = cutBytes(text.slice(from, Math.min(end, from + count)).toWellFormed(), maxBytes).text
  const next = from + part.length
  return pageOf(id, path, text, maxBytes, [
    part,
    next < end ? goesOn({ id, path: `${path}/${next}:${to < text.length ? to : ''}` }) : PAGE_END,
  ])
}

const pageOf = (id: string, path: string, value: unknown, maxBytes: number, lines: readonly string[]): Page => ({
  ok: true,
  text: [partAt(id, path, cutBytes(typeOf(value), maxBytes).text), ...lines].join('\n'),
})

/** A line for each part, until there is no room. One that is larger than `partBytes` by itself is described. */
function partLines(
  { from, to, maxBytes, partBytes = maxBytes }: { from: number; to: number; maxBytes: number; partBytes?: number },
  partOf: (at: number) => { name: string; value: unknown },
): { lines: string[]; next: number } {
  const lines: string[] = []
  let next = from
  for (let bytes = 0; next < to; next++) {
    const { name, value } = partOf(next)
    const json = JSON.stringify(value)
    const all = `${name} ${json}`
    const isLarge = Buffer.byteLength(all) > partBytes
    const line = isLarge ? cutBytes(`${name} ${tooLargePart(Buffer.byteLength(json), typeOf(value))}`, maxBytes).text : all
    bytes += Buffer.byteLength(line) + 1
    if (bytes > maxBytes && lines.length > 0) break
    lines.push(line)
  }
  return { lines, next }
}

/** Undefined for a path that is none. */
function placeAt(root: unknown, path: string): Place | { missing: string; in: unknown } | undefined {
  const parts = (path === '' || path.startsWith('/') ? path : `/${path}`).split('/', MAX_PARTS + 2).slice(1)
  if (parts.length > MAX_PARTS) return undefined
  const names = parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  let value = root
  for (const [depth, name] of names.entries()) {
    const before = pointerTo(names.slice(0, depth))
    const child = childOf(value, name)
    const slice = child ? undefined : sliceOf(value, name)
    if (slice) {
      const after = names.slice(depth + 1)
      return after.some((one) => isSlice(one)) ? undefined : { path: before, value, slice, after }
    }
    // The root, as it is often written.
    if (!child && path === '/') break
    if (!child) return { missing: pointerTo(names.slice(0, depth + 1)), in: value }
    ;({ value } = child)
  }
  return { path: value === root ? '' : pointerTo(names), value, slice: undefined, after: [] }
}

const isSlice = (name: string) => name === '*' || SLICE.test(name)

function sliceOf(value: unknown, name: string): Slice | undefined {
  if (!isSlice(name) || (!Array.isArray(value) && typeof value !== 'string')) return undefined
  const [, from = '', to = ''] = SLICE.exec(name) ?? []
  return { from: Number(from), to: to === '' ? Infinity : Number(to) }
}

function childOf(value: unknown, name: string): { value: unknown } | undefined {
  if (Array.isArray(value)) return /^\d{1,15}$/.test(name) && Number(name) < value.length ? { value: value[Number(name)] } : undefined
  return isObject(value) && Object.hasOwn(value, name) ? { value: value[name] } : undefined
}

/** What stands in an item; an item that does not have it is null. */
function itemAt(item: unknown, names: readonly string[]): unknown {
  let value = item
  for (const name of names) {
    const child = childOf(value, name)
    if (!child) return null
    ;({ value } = child)
  }
  return value
}
