import { scanValue, type SyntaxSlip } from './slips.ts'

/** What stood around the JSON or in it, and is not in what was found. */
export type Mended = SyntaxSlip | 'bom' | 'thoughts' | 'fence' | 'around'

export type Found = { kind: 'one'; json: string; mended: Mended[] } | { kind: 'none'; why: string } | { kind: 'many' }

const FENCE = '```'
const THOUGHTS = ['<think>', '</think>'] as const

/**
 * Finds the JSON of an answer: the whole of it, what is left without a byte order mark, thoughts and a fence, or else the one object or list in it. `begins` are the brackets
 * that this one may begin with; others are passed over. What stands in a value that cannot be read is never taken for a value of its own. In linear time.
 */
export function findJson(text: string, begins: readonly string[]): Found {
  const why = parseError(text)
  if (why === undefined) return { kind: 'one', json: text, mended: [] }
  const { body, mended } = unwrap(text)
  if (mended.length > 0 && parseError(body) === undefined) return { kind: 'one', json: body, mended }
  const found = findValue(body, begins)
  switch (found) {
    case 'none':
      return { kind: 'none', why }
    case 'many':
      return { kind: 'many' }
    default:
      return { kind: 'one', json: found.json, mended: [...mended, ...found.mended] }
  }
}

function unwrap(text: string): { body: string; mended: Mended[] } {
  const mended: Mended[] = []
  let body = text
  if (body.startsWith('\ufeff')) {
    body = body.slice(1)
    mended.push('bom')
  }
  body = body.trim()
  const end = body.startsWith(THOUGHTS[0]) ? body.indexOf(THOUGHTS[1]) : -1
  if (end !== -1) {
    body = body.slice(end + THOUGHTS[1].length).trim()
    mended.push('thoughts')
  }
  const line = body.indexOf('\n')
  if (body.startsWith(FENCE) && body.endsWith(FENCE) && line !== -1 && line < body.length - FENCE.length) {
    body = body.slice(line, -FENCE.length).trim()
    mended.push('fence')
  }
  return { body, mended }
}

function findValue(text: string, begins: readonly string[]): { json: string; mended: Mended[] } | 'none' | 'many' {
  const bracket = /[{[]/g
  let found: { json: string; mended: Mended[] } | undefined
  for (let match; (match = bracket.exec(text));) {
    if (isProse(text, match.index)) continue
    const value = scanValue(text, match.index)
    if (!value || parseError(value.json) !== undefined) return 'none'
    bracket.lastIndex = value.end
    if (!begins.includes(match[0])) continue
    if (found) return 'many'
    const isAlone = text.slice(0, match.index).trim() === '' && text.slice(value.end).trim() === ''
    found = { json: value.json, mended: [...(isAlone ? [] : ['around' as const]), ...value.mended] }
  }
  return found ?? 'none'
}

/** What may follow on the bracket of a list. */
const LIST = /\s*(?:["'[\]{\d-]|\/\/|true\b|false\b|null\b|$)/y

/** Words in square brackets: a link, a note. */
function isProse(text: string, at: number): boolean {
  LIST.lastIndex = at + 1
  return text[at] === '[' && !LIST.test(text)
}

function parseError(text: string): string | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
