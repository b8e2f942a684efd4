// Whether a result says of itself that it is not the whole: by the fields and phrases in which paging and cut results are commonly written. What says nothing is taken for whole.
import { isObject } from '../../../lib/json/object.ts'
import { findJson } from '../../../lib/json/find.ts'
import { parsedJson } from '../../../lib/json/parsed.ts'
import type { KeptText, PartialSign } from '../../run.ts'
import { identityOf } from './identity.ts'
import { missingAtEnd, signInPhrases } from './phrases.ts'

type Fields = Record<string, unknown>

/** Fields that are true when there is more; case and underscores do not matter. */
const MORE = new Set([
  'truncated',
  'istruncated',
  'more',
  'morerecords',
  'hasmore',
  'hasmoreresults',
  'hasmoreitems',
  'hasmorepages',
  'hasnext',
  'hasnextpage',
  'incompleteresults',
])
/** Fields that are false when there is more; `last` where pages are counted beside it. */
const LAST = new Set(['islast', 'islastpage'])
/** Fields that hold the way to the rest. */
const NEXT = new Set([
  'nextcursor',
  'nextpage',
  'nextpagetoken',
  'nexttoken',
  'nextlink',
  'nexturl',
  'nextpageurl',
  'nextrecordsurl',
  'nextoffset',
  'nextmarker',
  'nextcontinuationtoken',
  'lastevaluatedkey',
  'odatanextlink',
])
const TOTALS = ['totalcount', 'totalresults', 'totalitems', 'totalrows', 'totalhits', 'totalrecords']
/** Beside an offset, or a page and its size, `total` counts items; alone it may be a sum. */
const OFFSETS = ['offset', 'startat']
const PAGES = ['page', 'pagenumber', 'currentpage']
const PAGE_COUNTS = ['pages', 'totalpages', 'pagecount', 'lastpage']
const SIZES = ['perpage', 'pagesize', 'limit', 'maxresults', 'size']
/** Lists of something else than the items that a total counts. */
const ABOUT = new Set(['columns', 'fields', 'headers', 'warnings', 'sample'])
/** Where fields of paging stand beside the items. */
const WRAPPERS = new Set(['pagination', 'paging', 'pageinfo', 'meta', 'metadata', 'responsemetadata', 'links', 'result', 'data'])

const plain = (key: string) => key.replaceAll(/[^A-Za-z]/g, '').toLowerCase()

/** Looks at what the model reads of a result: at the JSON in it, and at the words around that. What stands inside the JSON's own texts is data. */
export function partialSign(text: string): PartialSign | undefined {
  const { value, around } = parts(text)
  return signOf(value, around)
}

/** The same of a result that was taken apart: its JSON, and the words around that. */
export function signOf(value: unknown, around: string): PartialSign | undefined {
  const sign = isObject(value) ? signOfFields(value) : Array.isArray(value) ? signOfLast(value) : undefined
  const said = sign ? undefined : signInPhrases(around)
  return said === undefined ? sign : { said, count: undefined }
}

/** The one JSON value of a result, or that of its last line, and the words without it. */
function parts(text: string): { value: unknown; around: string } {
  const found = findJson(text, ['{', '['])
  const end = text.trimEnd().lastIndexOf('\n') + 1
  const { json, around } = found.kind === 'one' ? found : { json: text.slice(end), around: text.slice(0, end) }
  const value = parsedJson(json)
  return { value, around: value === undefined ? text : around }
}

function signOfFields(root: Fields): PartialSign | undefined {
  const places = [root, ...wrapped(root), ...wrapped(root).flatMap(wrapped)]
  const lists = places.flatMap((place) =>
    Object.entries(place).flatMap(([key, value]) => (Array.isArray(value) && !ABOUT.has(plain(key)) ? [value] : [])),
  )
  const hasList = [...places, ...Object.values(root).filter(isObject)].some((place) =>
    Object.values(place).some((value) => Array.isArray(value)),
  )
  for (const list of lists) {
    const sign = signOfLast(list)
    if (sign) return sign
  }
  for (const place of places) {
    const sign = signAt(place, { items: lists.length === 1 ? lists[0] : undefined, hasList })
    if (sign) return sign
  }
  return undefined
}

/** What stands in the place of items; words about a cut may be an item. */
const CUT_MARK = /^(?:\.\.\.|…|[([<](?:\.\.\. ?)?truncated[)\]>])$/i

/** A list that was cut may say so in the place of its last item. */
function signOfLast(list: readonly unknown[]): PartialSign | undefined {
  const last = list.at(-1)
  if (list.length < 2 || typeof last !== 'string' || last.length > MAX_SAID) return undefined
  const said = missingAtEnd(last) ?? CUT_MARK.exec(last)?.[0]
  return said === undefined ? undefined : { said, count: undefined }
}

const wrapped = (fields: Fields): Fields[] =>
  Object.entries(fields).flatMap(([key, value]) => (WRAPPERS.has(plain(key)) && isObject(value) ? [value] : []))

/** `items`: those that the result holds, where it has one list. */
function signAt(place: Fields, { items, hasList }: { items: readonly unknown[] | undefined; hasList: boolean }): PartialSign | undefined {
  const entries = Object.entries(place)
  const said = ([key, value]: [string, unknown]): PartialSign => ({ said: `${key}: ${short(placeOf(value))}`, count: undefined })
  const more = entries.filter(([key]) => MORE.has(plain(key)))
  const hasPages = entries.some(([key]) => PAGE_COUNTS.includes(plain(key)))
  const isMore =
    more.find(([, value]) => value === true || value === 'true') ??
    entries.find(([key, value]) => (LAST.has(plain(key)) || (key === 'last' && hasPages)) && value === false)
  if (isMore) return said(isMore)
  // A server that says that there is no more is believed, whatever cursor stands beside.
  if (more.some(([key, value]) => value === false && plain(key).startsWith('has'))) return undefined
  const next = entries.find(
    ([key, value]) =>
      (NEXT.has(plain(key)) && isPlace(placeOf(value), hasList)) || (key === 'next' && hasList && isAddress(placeOf(value))),
  )
  return next ? said(next) : items && countAt(place, items)
}

/** Of a link its address. */
const placeOf = (value: unknown) => (isObject(value) && 'href' in value ? value['href'] : value)
/** What leads on. Of an object it may be the key of the next item, where there are items. */
function isPlace(value: unknown, hasList: boolean): boolean {
  if (isObject(value)) return hasList && Object.keys(value).length > 0
  return value === true || (typeof value === 'string' ? value !== '' : typeof value === 'number' && value > 0)
}
const isAddress = (value: unknown) => typeof value === 'string' && /^(?:https?:|[/?])/.test(value)

function countAt(place: Fields, items: readonly unknown[]): PartialSign | undefined {
  const got = items.length
  /** NaN where it is not said: no comparison with it holds. */
  const number = (names: readonly string[]) =>
    Number(Object.entries(place).find(([key, value]) => names.includes(plain(key)) && isCount(value))?.[1])
  const [offset, page, pages, size, counted] = [number(OFFSETS), number(PAGES), number(PAGE_COUNTS), number(SIZES), number(TOTALS)]
  const isSaid = (one: number) => !Number.isNaN(one)
  // A size alone may be a limit of something else, and a page alone that of a document: then they count where the page is full, or has a size that pages have.
  const isPaged = isSaid(offset) || (isSaid(page) ? isSaid(size) || isSaid(pages) || isRound(got) : got >= size)
  const total = isPaged && !isSaid(counted) ? number(['total']) : counted
  if (!isSaid(total) || got === 0 || addUpTo(items, total)) return undefined
  if (offset + got >= total || page >= pages) return undefined
  // Pages are counted from 1, or from 0: then the last one, which is not full, reaches the total.
  const reached = got < size ? page * size + got : page * size
  // Beside a page that is not full, what is named `total` alone may be a sum.
  if (reached >= total || (got < size && isSaid(page) && !isSaid(counted))) return undefined
  return got < total ? { said: `${got} of ${total}`, count: { total, got } } : undefined
}

/** Some servers write their numbers as texts. */
const isCount = (value: unknown) => (typeof value === 'number' || typeof value === 'string') && /^\d{1,15}$/.test(`${value}`)
const isRound = (size: number) => size >= 10 && size % 5 === 0

/** Counts by group, of which the total is the sum. */
function addUpTo(items: readonly unknown[], total: number): boolean {
  const sums = new Map<string, number>()
  for (const item of items)
    for (const [key, value] of Object.entries(isObject(item) ? item : { item }))
      if (typeof value === 'number' && !/id$/i.test(key)) sums.set(key, (sums.get(key) ?? 0) + value)
  return [...sums.values()].includes(total)
}

const MAX_SAID = 60
const short = (value: unknown) => {
  const text = isObject(value) ? `{${Object.keys(value).join(', ')}}` : typeof value === 'string' ? value : JSON.stringify(value)
  return text.length <= MAX_SAID ? text : `${text.slice(0, MAX_SAID).toWellFormed()}…`
}

interface ReadCall {
  server: string
  tool: string
  status: string
  /** What the model read of it. */
  text: string
  /** Where that is a part, what its whole says. */
  kept?: Pick<KeptText, 'digest' | 'rest'> | undefined
}

/** A tool whose last result said that there is more: nothing was read after it. */
export interface UnreadRest {
  server: string
  tool: string
  said: string
}

/**
 * The tools of servers on whose part of a result a run rests: their last result that was no error says that it is not the whole. A later call of the same tool
 * settles it, whether it read on or asked for less. `enough`: servers of which a part is all that the job wants.
 */
export function unreadRests(calls: readonly ReadCall[], enough: readonly string[]): UnreadRest[] {
  const last = new Map<string, { server: string; tool: string; sign: PartialSign | undefined }>()
  /** Of each list that is counted: how many items each of its results holds. The same page read twice is no further one. */
  const pages = new Map<string, Map<string, number>>()
  for (const { server, tool, status, text, kept } of calls) {
    if (status !== 'ok' || server === '' || enough.includes(server)) continue
    const key = `${server} ${tool}`
    const sign = kept ? (kept.rest ?? undefined) : partialSign(text)
    let isAll = false
    if (sign?.count) {
      const { total, got } = sign.count
      const read = pages.get(`${key} ${total}`) ?? new Map<string, number>()
      pages.set(`${key} ${total}`, read.set(identityOf({ text, kept }), got))
      isAll = [...read.values()].reduce((sum, one) => sum + one, 0) >= total
    }
    last.set(key, { server, tool, sign: isAll ? undefined : sign })
  }
  return [...last.values()].flatMap(({ server, tool, sign }) => (sign ? [{ server, tool, said: sign.said }] : []))
}
