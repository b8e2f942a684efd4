/** A fault of a value that the format allows, at its path. */
export interface Fault {
  path: readonly string[]
  message: string
  /** The line, from 1, of the text that stands there. */
  textLine?: number
}
