// Whether a result says of itself that it is not the whole: by the fields and phrases in which paging and cut results are commonly written. What says nothing is taken for whole.
import { parsedJson } from '../../../lib/json/parsed.ts'

/** A sign in a result that there is more. */
export interface PartialSign {
  /** The sign as it stands there, such as `truncated: true`. */
  said: string
  /** Where it is a count: of how many there are, and how many of them this result holds. */
  count: { total: number; got: number } | undefined
}

type Fields = Record<string, unknown>

/** Fields that are true when there is more; case and underscores do not matter. */
const MORE = new Set([
  'truncated',
  'istruncated',
  'more',
  'morerecords',
  'hasmore',
  'hasmoreresults',
  'hasnext',
  'hasnextpage',
  'incompleteresults',
])
/** Fields that are false when there is more. */
const LAST = new Set(['islast', 'islastpage'])
/** Fields that hold the way to the rest. */
const NEXT = new Set([
  'nextcursor',
  'nextpage',
  'nextpagetoken',
  'nexttoken',
  'nextlink',
  'nexturl',
  'nextoffset',
  'nextmarker',
  'odatanextlink',
])
const TOTALS = new Set(['totalcount', 'totalresults', 'totalitems', 'totalrows', 'totalhits', 'totalrecords'])
/** Beside one of these, `total` counts items; alone it may be a sum. */
const PAGING = new Set(['offset', 'startat', 'page', 'pagenumber', 'limit', 'perpage', 'pagesize', 'maxresults'])
/** Where fields of paging stand beside the items. */
const WRAPPERS = new Set(['pagination', 'paging', 'pageinfo', 'meta', 'metadata', 'responsemetadata', 'links', 'result', 'data'])

const plain = (key: string) => key.replaceAll(/[^A-Za-z]/g, '').toLowerCase()

/** Looks at what the model reads of a result. */
export function partialSign(text: string): PartialSign | undefined {
  const value = parsedJson(text) ?? parsedJson(text.slice(text.lastIndexOf('\n') + 1))
  return isFields(value) ? signOfFields(value) : value === undefined ? signOfText(text) : undefined
}

function signOfFields(root: Fields): PartialSign | undefined {
  const places = [root, ...wrapped(root), ...wrapped(root).flatMap(wrapped)]
  const items = places.flatMap((place) => Object.values(place).filter((value) => Array.isArray(value)))
  for (const place of places) {
    const sign = signAt(place, items.length === 1 ? items[0]?.length : undefined)
    if (sign) return sign
  }
  return undefined
}

const wrapped = (fields: Fields): Fields[] =>
  Object.entries(fields).flatMap(([key, value]) => (WRAPPERS.has(plain(key)) && isFields(value) ? [value] : []))

/** `got`: how many items the result holds, where it has one list. */
function signAt(place: Fields, got: number | undefined): PartialSign | undefined {
  const entries = Object.entries(place)
  const said = ([key, value]: [string, unknown]): PartialSign => ({ said: `${key}: ${short(value)}`, count: undefined })
  const more = entries.filter(([key]) => MORE.has(plain(key)))
  const isMore =
    more.find(([, value]) => value === true || value === 'true') ?? entries.find(([key, value]) => LAST.has(plain(key)) && value === false)
  if (isMore) return said(isMore)
  // A server that says that there is no more is believed, whatever cursor stands beside.
  if (more.some(([key, value]) => value === false && plain(key).startsWith('has'))) return undefined
  const next = entries.find(([key, value]) => (NEXT.has(plain(key)) && isPlace(value)) || (key === 'next' && isAddress(value)))
  return next ? said(next) : countAt(place, got)
}

const isPlace = (value: unknown) => (typeof value === 'string' && value !== '') || (typeof value === 'number' && value > 0)
const isAddress = (value: unknown) => typeof value === 'string' && /^(?:https?:|[/?])/.test(value)

function countAt(place: Fields, got: number | undefined): PartialSign | undefined {
  const number = (...names: string[]) =>
    Object.entries(place).find(([key, value]) => names.includes(plain(key)) && typeof value === 'number')?.[1]
  const isPaged = Object.keys(place).some((key) => PAGING.has(plain(key)))
  const total = number(...TOTALS, ...(isPaged ? ['total'] : []))
  if (typeof total !== 'number' || got === undefined || got === 0) return undefined
  const [offset, page, size] = [number('offset', 'startat'), number('page', 'pagenumber'), number('perpage', 'pagesize', 'limit')]
  if (typeof offset === 'number' && offset + got >= total) return undefined
  if (typeof page === 'number' && typeof size === 'number' && (got < size || page * size >= total)) return undefined
  return got < total ? { said: `${got} of ${total}`, count: { total, got } } : undefined
}

/** Characters at each end of a text that are searched: what a tool says of its result stands there, and not in the middle. */
const EDGE = 300
const PAGE = /\bpage (\d{1,6}) (?:of|\/) (\d{1,6})\b/gi
const SHOWING = /\b(?:showing|displaying|returning|listing)\b[^.\n]{0,30}?(\d[\d,]*) (?:out )?of (?:about )?(\d[\d,]*)/i
const CUT =
  /\b(?:content|output|results?|response|list) (?:was |were |is |has been |have been )?truncated\b|\[[^\]\n]{0,60}\btruncated\b[^\]\n]{0,120}\]|\.\.\. ?\(?truncated\)?|\b(?:more|further|additional) (?:results|rows|items|pages|records|entries) (?:are )?available\b/i

function signOfText(text: string): PartialSign | undefined {
  const tail = text.slice(-EDGE)
  const sign = (said: string | undefined) => (said === undefined ? undefined : { said: said.trim(), count: undefined })
  const page = [...tail.matchAll(PAGE)].at(-1) ?? [...text.slice(0, EDGE).matchAll(PAGE)][0]
  if (page) return Number(page[1]) < Number(page[2]) ? sign(page[0]) : undefined
  for (const edge of [text.slice(0, EDGE), tail]) {
    const [said, upTo, total] = SHOWING.exec(edge) ?? []
    if (said !== undefined && digits(upTo) < digits(total)) return sign(said)
  }
  return sign(CUT.exec(tail)?.[0])
}

const digits = (text = '') => Number(text.replaceAll(',', ''))
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

const MAX_SAID = 60
const short = (value: unknown) => {
  const text = String(value)
  return text.length <= MAX_SAID ? text : `${text.slice(0, MAX_SAID).toWellFormed()}…`
}

interface ReadCall {
  server: string
  tool: string
  status: string
  /** What the model read of it. */
  text: string
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
  const last = new Map<string, UnreadRest & { sign: PartialSign | undefined }>()
  const got = new Map<string, number>()
  /** Results that were counted: the same page read twice is no further one. */
  const counted = new Set<string>()
  for (const { server, tool, status, text } of calls) {
    if (status !== 'ok' || server === '' || enough.includes(server)) continue
    const key = `${server} ${tool}`
    const sign = partialSign(text)
    const seen = sign?.count && `${key} ${sign.count.total}`
    if (seen !== undefined && sign?.count && !counted.has(`${seen} ${text}`)) {
      counted.add(`${seen} ${text}`)
      got.set(seen, (got.get(seen) ?? 0) + sign.count.got)
    }
    const isAll = seen !== undefined && sign?.count && (got.get(seen) ?? 0) >= sign.count.total
    last.set(key, { server, tool, said: sign?.said ?? '', sign: isAll ? undefined : sign })
  }
  return [...last.values()].flatMap(({ sign, ...rest }) => (sign ? [rest] : []))
}
