import type { FileIssue, Place } from '../../lib/yaml/file.ts'

/** A fault of a value that the format allows, at its path. */
export interface Fault {
  path: readonly string[]
  message: string
  /** The line, from 1, of the text that stands there. */
  textLine?: number
}

/** The fault at its place in the file. */
export const issueOf = ({ path, message, textLine }: Fault, place: Place): FileIssue => ({
  line: place.lineOf(path, textLine),
  field: path.join('.'),
  message: message + whereToPaste(message, path, place),
})

/** A filter with a text, as a cure writes it. */
const PASTED = /\| [a-z_]{1,30}: "/

/** How the text has to be written to take what the message proposes: without quotes it cannot have a colon and a space, and within " " no ". */
function whereToPaste(message: string, path: readonly string[], place: Place): string {
  const style = place.styleOf(path)
  if (!PASTED.test(message) || (style !== 'PLAIN' && style !== 'QUOTE_DOUBLE')) return ''
  if (path.length > 1) return "; for that, put the text in ' '"
  return `; for that, write ${path.join('.')}: | and the text on the line below, indented${style === 'PLAIN' ? '' : ', without the quotes around it'}`
}
