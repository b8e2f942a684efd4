import { isPair, isScalar, Scalar, visit, type Document, type ErrorCode, type LineCounter } from 'yaml'

/** A place at which a text is no YAML, or not the YAML that was meant. */
export interface SyntaxFault {
  line: number
  message: string
}

/** A quote that is not closed, told where its text begins: it may be noticed only at the end of the file. Undefined for another fault, and for a text without a key. */
export function openQuote(
  document: Document,
  { code, offset }: { code: ErrorCode; offset: number },
  lines: LineCounter,
): SyntaxFault | undefined {
  if (code !== 'MISSING_CHAR') return undefined
  let found: SyntaxFault | undefined
  visit(document, {
    Scalar(_, { type, range }, path) {
      const pair = path.at(-1)
      const isQuoted = type === Scalar.QUOTE_DOUBLE || type === Scalar.QUOTE_SINGLE
      if (!isQuoted || !range || range[0] > offset || range[1] < offset || !isPair(pair) || !isScalar(pair.key)) return
      const quote = type === Scalar.QUOTE_DOUBLE ? '"' : "'"
      found = {
        line: lines.linePos(range[0]).line,
        message: `is not valid YAML: the ${quote} before the text of ${String(pair.key.value)} is not closed; write ${quote} behind the last character of that text`,
      }
    },
  })
  return found
}
