import { getNodePath } from 'jsonc-parser'
import { endOfString } from './strings.ts'
import { pointerTo, treeOf } from './tree.ts'

// A JSON number has any digits, and programs keep it as a double. Fractions lose some of theirs and nobody minds; an integer that loses one is another integer: the next
// record, the next account.

const MAX_SHOWN = 40

export interface LostNumber {
  /** JSON pointer to it. */
  path: string
  /** As it was written; its first digits where it is long. */
  source: string
  /** What it would become. */
  kept: string
}

/** Only such a text can hold a number that is lost: a double keeps fifteen digits, and its exponents have three at most. */
const MAY_BE_LOST = /[\d.]{16}|[eE][+-]?\d{3}/

/** The first number of a JSON text that a double does not hold (`isLost`). */
export function lostNumber(json: string): LostNumber | undefined {
  for (const { at, source } of lostIn(json)) {
    const shown = source.length > MAX_SHOWN ? `${source.slice(0, MAX_SHOWN)}…` : source
    return { path: pathOf(json, at), source: shown, kept: String(Number(source)) }
  }
  return undefined
}

/** The JSON text with those numbers as texts of their digits, which is the same for others to read (RFC 7493) and keeps them. */
export function quoteLost(json: string): string {
  let quoted = ''
  let from = 0
  for (const { at, source } of lostIn(json)) {
    quoted += `${json.slice(from, at)}"${source}"`
    from = at + source.length
  }
  return quoted + json.slice(from)
}

const QUOTE = 34
const MINUS = 45
const ZERO = 48
const NINE = 57
const NUMBER = /-?\d[\d.eE+-]*/y

function* lostIn(json: string): Generator<{ at: number; source: string }> {
  if (!MAY_BE_LOST.test(json)) return
  for (let at = 0; at < json.length; at++) {
    const char = json.charCodeAt(at)
    if (char === QUOTE) at = endOfString(json, at)
    else if (char === MINUS || (char >= ZERO && char <= NINE)) {
      NUMBER.lastIndex = at
      const source = NUMBER.exec(json)?.[0] ?? ''
      if (isLost(source)) yield { at, source }
      at += Math.max(source.length - 1, 0)
    }
  }
}

/** From here on a double stands for several integers. */
const EXACT_BELOW = 2 ** 53

/**
 * Whether a double is another number than the one that was written: an integer, or a fraction of that size, whose digits change, one that is too large for any, or one
 * that is not zero and becomes it. Also one that a double holds and that is written with other digits afterwards: 2^63 as 9223372036854776000.
 */
export function isLost(source: string): boolean {
  const value = Number(source)
  if (Number.isNaN(value)) return false
  if (!Number.isFinite(value)) return true
  if (value === 0) return /[1-9]/.test(source.split(/[eE]/)[0] ?? '')
  return Math.abs(value) >= EXACT_BELOW && decimalOf(source) !== decimalOf(String(value))
}

/** A decimal number in one form: its digits without zeros at either end, and the power of ten of the last one. */
function decimalOf(source: string): string {
  const [mantissa = '', exponent = '0'] = source.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.replace(/^[+-]/, '').split('.')
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const significant = digits.replace(/(?<!0)0+$/, '')
  return `${source.startsWith('-') ? '-' : ''}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`
}

function pathOf(json: string, offset: number): string {
  const pending = [treeOf(json)]
  while (pending.length > 0) {
    const node = pending.pop()
    if (node?.type === 'number' && node.offset === offset) return pointerTo(getNodePath(node))
    for (const child of node?.children ?? []) if (child.offset <= offset && offset < child.offset + child.length) pending.push(child)
  }
  return ''
}

/** Whether brackets are nested deeper than that. */
export function isDeeper(json: string, maxDepth: number): boolean {
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const char = json[at]
    if (char === '"') at = endOfString(json, at)
    else if (char === '{' || char === '[') {
      if (++depth > maxDepth) return true
    } else if (char === '}' || char === ']') depth--
  }
  return false
}
