import {
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Scalar,
  type YAMLMap,
} from 'yaml'
import type { z } from 'zod'
import { showLine } from '../text.ts'
import { explainIssues, type Explained } from './explain.ts'
import { renameKeys } from './renames.ts'
import { syntaxFaults } from './syntax.ts'
import { isLost } from '../json/exact.ts'
import { tryParse } from '../json/parse.ts'

/** One thing that is wrong in a file a person wrote. */
export interface FileIssue {
  line: number
  /** Dotted path of the field, empty for the whole file. */
  field: string
  message: string
}

export type Parsed<T> = { ok: true; value: T; notes: FileIssue[]; place: Place } | { ok: false; issues: FileIssue[] }

/** What the file has at a path, for checks that come later. What was read and should be changed stands in `notes`. */
export interface Place {
  /** The line of its key; of a text in lines of its own (|), that of one of them, from 1. */
  lineOf(path: readonly PropertyKey[], textLine?: number): number
  /** How the text there is written; undefined where there is none. */
  styleOf(path: readonly PropertyKey[]): Scalar.Type | undefined
  /** A text without quotes ends where a comment begins. */
  endsInComment(path: readonly PropertyKey[]): boolean
}

export interface ParseYamlOptions {
  /** Rewrites each text value after parsing, so that what it puts in is never read as YAML; throws to say why it cannot. `section` is the key at the top that holds it. */
  substitute?: (value: string, section: string) => string
  /** Earlier names of keys, as dotted paths in which `*` is any key, with the last part they have now. They are read, with a note. */
  renamed?: Readonly<Record<string, string>>
  /** What to do about keys that there are not and that people write, by their dotted paths. */
  advice?: Readonly<Record<string, string>>
  /** Most parts (keys, values, signs, ends of lines) that it may have; 100,000 when not given. */
  maxParts?: number
}

/** Read in about a second, whatever they are. */
const MAX_PARTS = 100_000
/** Aliases of one file: each is looked for in all of it. */
const MAX_ALIASES = 300
/** Faults of one file that are shown: the place of each is looked for in all of it. */
const MAX_ISSUES = 100
const REPEATS = 'repeats itself too often through aliases (*name); write the values out'
/** The lexer's sign that a scalar follows. */
const SCALAR = '\u001F'
/** Of {{ at the beginning of a value: where values are texts with variables of their own, and where ${NAME} is one. */
const NO_TEXT = 'has {{, which YAML takes for a mapping in a mapping; put the text in quotes'
const NO_VARIABLE = 'has {{, which is no variable here; write "${NAME}", with the quotes'
/** Nodes above a node, with two for each mapping: what parses, checks and digests a file is recursive. */
const MAX_DEPTH = 128
const NUMBER_OR_BOOLEAN = /^((0|[1-9]\d*)(\.\d+)?|true|false)$/

/** Parses YAML and checks it against a schema, saying for each fault the line, the field and the cure. No message holds the text of a value. */
export function parseYaml<Schema extends z.ZodType>(
  text: string,
  schema: Schema,
  { substitute, renamed = {}, advice, maxParts = MAX_PARTS }: ParseYamlOptions = {},
): Parsed<z.output<Schema>> {
  const tooMuch = excessOf(text, maxParts)
  if (tooMuch) return { ok: false, issues: [tooMuch] }
  const lines = new LineCounter()
  const document = readDocument(text, lines)
  const syntax = syntaxFaults(document, lines, text)
  if (syntax.length > 0) return { ok: false, issues: syntax.map((fault) => ({ ...fault, field: '' })) }
  if (document.contents === null) return { ok: false, issues: [{ line: 1, field: '', message: 'is empty' }] }
  const lossy = lossyNodes(document, lines, substitute ? NO_VARIABLE : NO_TEXT)
  if (lossy.length > 0) return { ok: false, issues: lossy }
  const { notes, clashes } = readRenamed(document, lines, renamed)
  if (clashes.length > 0) return { ok: false, issues: clashes }
  const substituted = new Set<Scalar>()
  const failed = substitute ? substituteValues(document, lines, substitute, substituted) : []
  if (failed.length > 0) return { ok: false, issues: failed }
  const check = () => schema.safeParse(document.toJS({ maxAliasCount: 100 }), { reportInput: true })
  let result: z.ZodSafeParseResult<z.output<Schema>>
  try {
    result = check()
    if (!result.success && readSubstituted(result.error.issues, document, substituted)) {
      result = check()
    }
  } catch {
    return {
      ok: false,
      issues: [{ line: 1, field: '', message: REPEATS }],
    }
  }
  if (result.success) return { ok: true, value: result.data, notes, place: placeIn(document, lines) }
  const explained = explainIssues(result.error.issues, { schema, document, ...(advice && { advice }) })
  const lineOfFault = ({ path, within, isOfValue }: Explained) =>
    within
      ? lineOf(document, lines, within.path) + within.lines
      : (isOfValue && lineOfNode(document.getIn(path, true), lines)) || lineOf(document, lines, path)
  const issues = explained
    .slice(0, MAX_ISSUES)
    .map((one) => ({ line: lineOfFault(one), field: one.path.map(String).join('.'), message: one.message }))
  const more = explained.length - issues.length
  return { ok: false, issues: more > 0 ? [...issues, { line: 1, field: '', message: `has ${more} more faults like these` }] : issues }
}

/** What makes a file too much to be parsed. The lexer alone is linear, and gives a part at a time. */
function excessOf(text: string, maxParts: number): FileIssue | undefined {
  let parts = 0
  let aliases = 0
  let depth = 0
  let line = 1
  let before = ''
  for (const part of new Lexer().lex(text)) {
    if (part === '[' || part === '{') depth++
    else if (part === ']' || part === '}') depth--
    else line += part.split('\n').length - 1
    if (before !== SCALAR && part.startsWith('*')) aliases++
    before = part
    if (aliases > MAX_ALIASES) return { line, field: '', message: REPEATS }
    if (depth > MAX_DEPTH) return { line, field: '', message: 'is nested too deeply' }
    if (++parts > maxParts)
      return { line: 1, field: '', message: `has more than ${maxParts.toLocaleString('en')} keys, values and signs; make it smaller` }
  }
  return undefined
}

/** Keys that are there twice are looked for later: the parser compares each with each. */
function readDocument(text: string, lineCounter: LineCounter): Document.Parsed {
  const { stackTraceLimit } = Error
  // The parser makes an error of each fault that it finds, perhaps a hundred thousand: their stacks would take seconds and hundreds of megabytes.
  Error.stackTraceLimit = 0
  try {
    return parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false })
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** What YAML allows, or we did not let the parser look for, and plain data cannot hold: it would be dropped or changed without a word. */
function lossyNodes(document: Document.Parsed, lines: LineCounter, braces: string): FileIssue[] {
  const issues: FileIssue[] = []
  const add = (node: unknown, field: string, message: string) => issues.push({ line: Math.max(lineOfNode(node, lines), 1), field, message })
  const addTwice = ({ items }: YAMLMap) => {
    const names = new Set<unknown>()
    for (const { key } of items) {
      if (!isScalar(key)) continue
      if (names.has(key.value)) add(key, String(key.value), 'is there twice in the same mapping; keep one of them')
      names.add(key.value)
    }
  }
  visit(document, {
    Pair(_, { key }, path) {
      if (isMap(key) && key.flow) add(key, '', braces)
      else if (!isScalar(key) || typeof key.value !== 'string') add(key, '', noText(key, path.at(-1)))
      else if (key.value === '__proto__') add(key, key.value, 'is not a name that can be used')
    },
    Scalar(_, node, path) {
      if (typeof node.value === 'number' && isLost(node.source ?? ''))
        add(
          node,
          issues.length < MAX_ISSUES ? fieldOf([...path, node]) : '',
          'has a number that programs do not keep as it is written; put it in quotes, or write a smaller one',
        )
      else if (typeof node.value === 'number' && !Number.isFinite(node.value)) add(node, '', 'has a number that is not finite')
      if (typeof node.value === 'string' && !node.value.isWellFormed())
        add(node, '', 'has half a character (a lone surrogate); take it out')
    },
    Alias(_, node, path) {
      const target = node.resolve(document)
      if (!target) add(node, '', 'uses an alias (*name) whose anchor (&name) is not above it; in a text, put it in quotes')
      else if (path.includes(target)) add(node, '', 'has an alias (*name) inside of what it stands for')
    },
    Collection(_, node, path) {
      if (isMap(node)) addTwice(node)
      if (path.length <= MAX_DEPTH) return undefined
      add(node, '', 'is nested too deeply')
      return visit.BREAK
    },
  })
  return issues.toSorted((a, b) => a.line - b.line)
}

/** Of a number in a mapping on one line, where a comma ends a value, a decimal was meant. */
const noText = (key: unknown, mapping: unknown) => {
  const isDecimal = isMap(mapping) && mapping.flow && isScalar(key) && typeof key.value === 'number'
  return isDecimal
    ? 'has a number with a comma, which ends a value here; write a decimal with a point (0.5)'
    : 'has a key that is not a text; put it in quotes'
}

/** The dotted path of the last of these nodes, each of which is in the one before. */
const fieldOf = (path: readonly unknown[]): string =>
  path
    .flatMap((one, at) => {
      const parent = path[at - 1]
      if (isPair(one)) return isScalar(one.key) ? [String(one.key.value)] : []
      return isSeq(parent) ? [String(parent.items.indexOf(one))] : []
    })
    .join('.')

function readRenamed(document: Document.Parsed, lines: LineCounter, renamed: Readonly<Record<string, string>>) {
  const notes: FileIssue[] = []
  const clashes: FileIssue[] = []
  for (const { node, field, name, clash } of renameKeys(document, renamed)) {
    const line = lineOfNode(node, lines)
    if (clash) clashes.push({ line, field, message: `is the earlier name of ${name}, which is there too; take ${field} out` })
    else notes.push({ line, field, message: `is now called ${name}; the earlier name is read until the next version` })
  }
  return { notes, clashes }
}

function substituteValues(
  document: Document.Parsed,
  lines: LineCounter,
  substitute: (value: string, section: string) => string,
  substituted: Set<Scalar>,
): FileIssue[] {
  const issues: FileIssue[] = []
  visit(document, {
    Scalar(key, node, [, , section]) {
      if (key === 'key' || typeof node.value !== 'string') return
      try {
        const value = substitute(node.value, isPair(section) && isScalar(section.key) ? String(section.key.value) : '')
        if (value !== node.value && node.type === 'PLAIN') substituted.add(node)
        node.value = value
      } catch (error) {
        issues.push({
          line: Math.max(lineOfNode(node, lines), 1),
          field: '',
          message: error instanceof Error ? error.message : String(error),
        })
      }
    },
  })
  return issues
}

/** Reads what was put in without quotes as a number or boolean, only where the schema wants one: a key of digits stays a text. */
function readSubstituted(issues: readonly z.core.$ZodIssue[], document: Document.Parsed, substituted: ReadonlySet<Scalar>): boolean {
  let changed = false
  for (const issue of issues) {
    if (issue.code !== 'invalid_type' || !['number', 'int', 'boolean'].includes(issue.expected)) continue
    const node: unknown = document.getIn(issue.path, true)
    if (!isScalar(node) || !substituted.has(node) || !NUMBER_OR_BOOLEAN.test(String(node.value))) continue
    const value = tryParse(String(node.value))
    if (value === undefined) continue
    node.value = value
    changed = true
  }
  return changed
}

function placeIn(document: Document.Parsed, lines: LineCounter): Place {
  const textAt = (path: readonly PropertyKey[]) => {
    const node: unknown = document.getIn(path, true)
    return isScalar(node) ? node : undefined
  }
  return {
    lineOf: (path, textLine = 0) => lineOf(document, lines, path) + (textAt(path)?.type === 'BLOCK_LITERAL' ? textLine : 0),
    styleOf: (path) => textAt(path)?.type,
    endsInComment(path) {
      const text = textAt(path)
      return text?.type === 'PLAIN' && typeof text.value === 'string' && typeof text.comment === 'string'
    },
  }
}

/** 0 when it has none. */
const lineOfNode = (node: unknown, lines: LineCounter) => (isNode(node) && node.range ? lines.linePos(node.range[0]).line : 0)

/** The line of a path's key, or of the nearest parent that is there. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const last = path[length - 1]
    const node: unknown = isMap(parent)
      ? parent.items.find((item) => isScalar(item.key) && item.key.value === last)?.key
      : document.getIn(path.slice(0, length), true)
    const line = lineOfNode(node, lines)
    if (line > 0) return line
  }
  return 1
}

/** `file:line: field message`, on one line and without what a terminal would act on. */
export function showIssue(file: string, issue: FileIssue): string {
  return showLine(`${file}:${issue.line}: ${issue.field ? `${issue.field} ` : ''}${issue.message}`)
}
