import type { Document, ErrorCode, LineCounter } from 'yaml'
import { openQuote, type SyntaxFault } from './quotes.ts'
import { textFault } from './texts.ts'

/** Warnings count too: they stand for something that was read in another way than it was meant. Of broken syntax only the first place: the rest follows from it. */
export function syntaxFaults(document: Document.Parsed, lines: LineCounter, text: string): SyntaxFault[] {
  const faults: SyntaxFault[] = []
  let broken: SyntaxFault | undefined
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    const { line, col } = lines.linePos(pos[0])
    switch (code) {
      case 'TAG_RESOLVE_FAILED':
        faults.push({ line, message: 'has a tag (!) that is not known; take it out, or put the text in quotes' })
        break
      case 'MULTIPLE_DOCS':
        faults.push({ line, message: 'has more than one document; keep one, without lines of ---' })
        break
      default:
        broken ??= openQuote(document, { code, offset: pos[0] }, lines) ?? brokenAt(code, message, { text, line, column: col })
    }
  }
  return broken ? [broken] : faults
}

const UNINDENTED = 'the text below | or > is not indented; indent each of its lines more than the key above it'

const TOO_DEEP = 'the line is indented as if it belonged to the one above; indent the keys of a mapping alike'

const RUN_TOGETHER = 'entries in { } or [ ] run into each other; put a comma between them, as in { a: 1, b: 2 }'

const OPEN_MAPPING = 'a { is opened and not closed; close it with } behind its last entry'
const OPEN_LIST = 'a [ is opened and not closed; close it with ] behind its last entry'

interface Known {
  code: ErrorCode
  /** Words that the parser begins with. */
  words: string
  /** What is wrong, and its cure. */
  says: string
}

const of = (code: ErrorCode, words: string, says: string): Known => ({ code, words, says })

/** What broken syntax means for whoever wrote it, by the parser's code and the beginning of its words. */
const KNOWN: readonly Known[] = [
  of('BAD_SCALAR_START', '', 'a text begins with a sign that YAML keeps for itself; put the text in quotes'),
  of('BAD_ALIAS', '', 'a text begins with * or &, which YAML reads as a reference; put it in quotes'),
  of('BLOCK_AS_IMPLICIT_KEY', '', 'a key stands in the value of another key on one line; write one key a line, or put the text in quotes'),
  of('BLOCK_IN_FLOW', '', RUN_TOGETHER),
  of('TAB_AS_INDENT', '', 'a line is indented with a tab; indent with spaces'),
  of('MULTILINE_IMPLICIT_KEY', '', 'the line has no key; write key: value, with a space after the colon'),
  of('MISSING_CHAR', 'Missing closing', 'a quote is opened and not closed; close it behind the last character of its text'),
  of('MISSING_CHAR', 'Missing , or', RUN_TOGETHER),
  of('MISSING_CHAR', 'Flow map', OPEN_MAPPING),
  of('MISSING_CHAR', 'Flow sequence', OPEN_LIST),
  of('MISSING_CHAR', '', 'the line has no key; write key: value, and begin a text of several lines with | behind its key'),
  of('BAD_INDENT', 'Flow map', OPEN_MAPPING),
  of('BAD_INDENT', 'Flow sequence', OPEN_LIST),
  of('BAD_INDENT', '', 'the line is indented in another way than those beside it; indent the keys of a mapping alike'),
  of('UNEXPECTED_TOKEN', 'Not a YAML token', 'a text goes on behind | or >; begin it on the line below, indented'),
  of('UNEXPECTED_TOKEN', 'Unexpected block-seq-ind', 'a list begins behind its key; begin it on the line below, or write [a, b]'),
  of('UNEXPECTED_TOKEN', 'Unexpected , in', 'there is a comma too many; take it out'),
  of('UNEXPECTED_TOKEN', 'Unexpected scalar token', RUN_TOGETHER),
  of('UNEXPECTED_TOKEN', 'Unexpected flow-seq-end', 'a ] closes nothing; take it out, or open the list with ['),
  of('UNEXPECTED_TOKEN', 'Unexpected flow-map-end', 'a } closes nothing; take it out, or open the mapping with {'),
]

function brokenAt(code: ErrorCode, message: string, at: { text: string; line: number; column: number }): SyntaxFault {
  const { text, line, column } = at
  if (isAboveIndented(code, text, line)) return { line: lineBelow(text, line), message: `is not valid YAML: ${TOO_DEEP}` }
  return { line: column === 1 && message.startsWith('Flow') ? lineBefore(text, line) : line, message: explain(code, message, at) }
}

function explain(code: ErrorCode, message: string, { text, line, column }: { text: string; line: number; column: number }): string {
  if (message.includes('call stack')) return 'is nested too deeply'
  return `is not valid YAML: ${isBelowBlock(text, line) ? UNINDENTED : (meant(code, message, text.split('\n')[line - 1] ?? '', column) ?? foreign(message))}`
}

function meant(code: ErrorCode, message: string, at: string, column: number): string | undefined {
  if (column === 1 && message.startsWith('Unexpected scalar'))
    return 'the line is indented in another way than those beside it; indent the keys of a mapping alike'
  const isOfText = code === 'BAD_SCALAR_START' || code === 'BLOCK_AS_IMPLICIT_KEY' || message.endsWith('at node end')
  return (isOfText ? textFault(at) : undefined) ?? KNOWN.find((one) => one.code === code && message.startsWith(one.words))?.says
}

/** The line above, without those that are empty: what was not closed there is noticed here. */
function lineBefore(text: string, line: number): number {
  const above = text.split('\n').slice(0, line - 1)
  return Math.max(above.findLastIndex((one) => one.trim() !== '') + 1, 1)
}

/** The next line that is not empty; the last one when there is none. */
function lineBelow(text: string, line: number): number {
  const below = text.split('\n').slice(line)
  return line + Math.max(below.findIndex((one) => one.trim() !== '') + 1, 0)
}

/** The line below is indented more than this one, which has a value already. */
function isAboveIndented(code: ErrorCode, text: string, line: number): boolean {
  const [here = '', ...all] = text.split('\n').slice(line - 1)
  return (
    code === 'BLOCK_AS_IMPLICIT_KEY' &&
    textFault(here) === undefined &&
    indentOf(all.find((one) => one.trim() !== '') ?? '') > indentOf(here)
  )
}

/** The line above begins a text by | or >, and this one is not indented more: it is taken for YAML. */
function isBelowBlock(text: string, line: number): boolean {
  const before = text.split('\n').slice(0, line)
  const [here = '', above = ''] = before
    .filter((one) => one.trim() !== '')
    .slice(-2)
    .toReversed()
  return /: +[|>][-+0-9]{0,2} *$/.test(above.trimEnd()) && indentOf(here) <= indentOf(above)
}

const indentOf = (line: string) => line.length - line.trimStart().length

/** The parser's words without text of the file, which could be a secret: that follows a colon or a backslash. */
const foreign = (message: string) =>
  `${message.replace(/(?::| \\).*/s, '')}; put a text that begins with a sign in quotes, and close each bracket and quote`
