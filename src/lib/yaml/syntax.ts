import type { Document, ErrorCode, LineCounter } from 'yaml'

/** A place at which a text is no YAML, or not the YAML that was meant. */
export interface SyntaxFault {
  line: number
  message: string
}

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
        broken ??= {
          line: col === 1 && message.startsWith('Flow') ? lineBefore(text, line) : line,
          message: brokenBecause(message) + (isBelowBlock(text, line) ? UNINDENTED : cureOf(code, message, col)),
        }
    }
  }
  return broken ? [broken] : faults
}

const UNINDENTED = '; indent the text below | or > more than its key'

/** What cures broken syntax, by the parser's code and the beginning of its words, where that is known. */
const CURES: readonly (readonly [code: ErrorCode, words: string, cure: string])[] = [
  ['BAD_SCALAR_START', '', 'put the text in quotes'],
  ['BAD_ALIAS', '', 'put a text that begins with * or & in quotes'],
  ['BLOCK_AS_IMPLICIT_KEY', '', 'put a text with a colon and a space in it in quotes, and indent the keys of a mapping alike'],
  ['TAB_AS_INDENT', '', 'indent with spaces'],
  ['MULTILINE_IMPLICIT_KEY', '', 'write key: value, with a space after the colon'],
  ['MISSING_CHAR', 'Missing closing', 'close the quote that stands open'],
  ['MISSING_CHAR', '', 'write key: value, and begin a text of several lines with | behind its key'],
  ['BAD_INDENT', 'Flow', 'close the bracket that stands open'],
  ['UNEXPECTED_TOKEN', 'Not a YAML token', 'begin the text on the line below | or >'],
  ['UNEXPECTED_TOKEN', 'Unexpected block-seq-ind', 'begin a list on the line below its key, or write [a, b]'],
  ['UNEXPECTED_TOKEN', '', 'put a text that begins with a sign in quotes, and close each bracket and quote'],
]

function cureOf(code: ErrorCode, message: string, column: number): string {
  if (column === 1 && message.startsWith('Unexpected scalar')) return '; indent the keys of a mapping alike'
  const found = CURES.find(([one, words]) => one === code && message.startsWith(words))
  return found ? `; ${found[2]}` : ''
}

/** The line above, without those that are empty: what was not closed there is noticed here. */
function lineBefore(text: string, line: number): number {
  const above = text.split('\n').slice(0, line - 1)
  return Math.max(above.findLastIndex((one) => one.trim() !== '') + 1, 1)
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
function brokenBecause(message: string): string {
  return message.includes('call stack') ? 'is nested too deeply' : `is not valid YAML: ${message.replace(/(?::| \\).*/s, '')}`
}
