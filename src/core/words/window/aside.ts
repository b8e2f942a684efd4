// What a model reads in the place of what was put aside, and when it is to sum up, in the words of Nightshift; golden tests hold each of them.
import { sizeText } from '../../../lib/text.ts'

/** A result that was put aside. `reader`: the tool that reads it again; undefined where there is none. */
export interface Aside {
  id: string
  tool: string
  bytes: number
  reader: string | undefined
}

/** In the place of an old result. */
export const stubText = ({ id, tool, bytes, reader }: Aside): string =>
  `[Nightshift: result ${id} of ${tool}, ${sizeText(bytes)}, is put aside${reader === undefined ? '' : `; ${reader} reads it again`}.]`

/** After the last result, where the model is to sum up before it goes on. */
export const SUMMARY_ASK =
  '[Nightshift: the conversation has become too long to go on as it is. Answer with notes for yourself, and call no tool: what was asked, what you did, what you found with its exact values and the ids of results (such as t3c1) they are from, and what is still to be done. Your notes replace everything above but the prompt.]'

/** In the place of a model's notes where it wrote none. */
export const noNotes = (results: readonly Pick<Aside, 'id' | 'tool'>[], others: number): string =>
  `(No notes were written. Results so far: ${results.map(({ id, tool }) => `${id} of ${tool}`).join(', ')}${others > 0 ? `, and ${others} before them` : ''}.)`

/** After a model's notes. */
export const summaryReply = (reader: string | undefined): string =>
  `[Nightshift: these are your notes on the work so far; what they replace is put aside${reader === undefined ? '' : `, and ${reader} reads each result again by its id`}. Go on from here.]`

export interface FullFigures {
  /** About how many tokens it has. */
  tokens: number
  window: number | undefined
  /** What it is made of, largest first. */
  parts: readonly { what: string; bytes: number }[]
}

/** For people: why a conversation does not fit, in figures. */
export function fullText({ tokens, window, parts }: FullFigures): string {
  const reads = window === undefined ? 'more than the model reads' : `and the model reads ${window}, its answer included`
  return `About ${tokens} tokens are to be read, ${reads}: ${parts.map(({ what, bytes }) => `${what} ${sizeText(bytes)}`).join(', ')}.`
}
