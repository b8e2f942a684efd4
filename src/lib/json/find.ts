import { scanValue, type SyntaxSlip } from './slips.ts'

/** What stood around the JSON or in it, and is not in what was found. */
export type Mended = SyntaxSlip | 'bom' | 'thoughts' | 'fence' | 'around'

/** `around`: the words before and after it, each on lines of their own. */
export interface FoundOne {
  json: string
  mended: Mended[]
  around: string
}

export type Found = ({ kind: 'one' } & FoundOne) | { kind: 'none'; why: string } | { kind: 'many' }

const FENCE = '```'
/** Marks around thoughts. A template may write the first one itself, so that the second comes alone. */
const THOUGHTS = [
  ['<think>', '</think>'],
  ['<thinking>', '</thinking>'],
  ['[THINK]', '[/THINK]'],
] as const
/** Most blocks of thoughts before an answer. */
const MAX_BLOCKS = 20

/**
 * Finds the JSON of an answer: the whole of it, what is left without a byte order mark, thoughts and a fence, or else the one object or list in it. `begins` are the brackets
 * that this one may begin with; others are passed over. What stands in a value that cannot be read is never taken for a value of its own. In linear time.
 */
export function findJson(text: string, begins: readonly string[]): Found {
  const why = parseError(text)
  if (why === undefined) return { kind: 'one', json: text, mended: [], around: '' }
  const alone = afterThoughts(text)
  const found = alone === undefined ? undefined : findIn(alone, begins, ['thoughts'])
  return found?.kind === 'one' ? found : (findIn(text, begins, []) ?? { kind: 'none', why })
}

/** What follows on the end of thoughts whose begin is not there. A text that begins as an answer does is one, whatever stands in it. */
function afterThoughts(text: string): string | undefined {
  if (/^[\ufeff\s]*(?:[{[]|```)/.test(text)) return undefined
  const lone = THOUGHTS.find(([begin, end]) => text.includes(end) && !text.includes(begin))
  return lone && text.slice(text.lastIndexOf(lone[1]) + lone[1].length)
}

function findIn(text: string, begins: readonly string[], before: Mended[]): Found | undefined {
  const unwrapped = unwrap(text)
  const { body } = unwrapped
  const mended = [...before, ...unwrapped.mended]
  if (mended.length > 0 && parseError(body) === undefined) return { kind: 'one', json: body, mended, around: '' }
  const found = findValue(body, begins)
  switch (found) {
    case 'none':
      return undefined
    case 'many':
      return { kind: 'many' }
    default:
      return { kind: 'one', ...found, mended: [...mended, ...found.mended] }
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
  for (let blocks = 0; blocks < MAX_BLOCKS; blocks++) {
    const [begin, end] = THOUGHTS.find(([mark]) => body.startsWith(mark)) ?? []
    const at = begin === undefined || end === undefined ? -1 : body.indexOf(end)
    if (end === undefined || at === -1) break
    body = body.slice(at + end.length).trim()
    if (!mended.includes('thoughts')) mended.push('thoughts')
  }
  const line = body.indexOf('\n')
  if (body.startsWith(FENCE) && body.endsWith(FENCE) && line !== -1 && line < body.length - FENCE.length) {
    body = body.slice(line, -FENCE.length).trim()
    mended.push('fence')
  }
  return { body, mended }
}

function findValue(text: string, begins: readonly string[]): FoundOne | 'none' | 'many' {
  const bracket = /[{[]/g
  let found: FoundOne | undefined
  for (let match; (match = bracket.exec(text));) {
    if (isProse(text, match.index)) continue
    const value = scanValue(text, match.index)
    if (!value || parseError(value.json) !== undefined) return 'none'
    bracket.lastIndex = value.end
    if (!begins.includes(match[0])) continue
    if (found) return 'many'
    const around = `${text.slice(0, match.index)}\n${text.slice(value.end)}`
    found = { json: value.json, mended: [...(around.trim() === '' ? [] : ['around' as const]), ...value.mended], around }
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
