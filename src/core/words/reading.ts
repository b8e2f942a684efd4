// What a model reads of a result that is larger than what is shown of it, and of the tool with which it reads the rest; golden tests hold each of them.
import { sizeText } from '../../lib/text.ts'
import type { ModelTool } from '../ports/toolbox.ts'
import { errorOf } from './calls.ts'
import { OWN_SERVER } from './endings.ts'
import { endsOf, type Ends } from './results.ts'

export const READ_RESULT: ModelTool = {
  name: `${OWN_SERVER}__read_result`,
  description:
    'Reads on in a result of this run that was shown in part or put aside, by its id, such as t3c1. It costs no call of a server. By default it gives lines, from the first. With search it gives the places where a text stands, with path a part of JSON, with offset bytes. What does not fit into one answer is said at its end, with how to go on.',
  parameters: {
    type: 'object',
    properties: {
      id: { type: 'string', description: 'The id of the result.' },
      line: { type: 'integer', minimum: 1, description: 'First line.' },
      offset: { type: 'integer', minimum: 0, description: 'First byte: of what is read, or of what is searched.' },
      count: { type: 'integer', minimum: 1, description: 'Most lines, bytes, items or places. Without it as many as fit.' },
      path: {
        type: 'string',
        description:
          'A JSON pointer, such as /rows/7/name. One part may be a slice of a list or a text: /rows/100:200, /rows/100:200/name for one field of each, /rows/* for all.',
      },
      search: { type: 'string', minLength: 1, description: 'A text to look for, as it stands there: no pattern.' },
      ignoreCase: { type: 'boolean', description: 'Capital and small letters are the same to the search.' },
      context: { type: 'integer', minimum: 0, maximum: 20, description: 'Lines before and after each place.' },
    },
    required: ['id'],
    additionalProperties: false,
  },
}

interface PartlyShown extends Ends {
  id: string
  /** What it looks like. */
  shape: string
  /** All of it is kept. */
  whole: boolean
  /** The model can read the rest by `READ_RESULT`. */
  canRead: boolean
}

/** What is shown of a result that is larger than is shown in one piece. */
export function partlyShown({ id, shape, whole, canRead, ...ends }: PartlyShown): string {
  const how = canRead
    ? `Read the rest with ${READ_RESULT.name}, or search it, before you say anything that depends on it.`
    : 'The rest cannot be read here: ask for less where it matters.'
  const kept = whole ? '' : ' More was sent than is kept.'
  return `[Result ${id} has ${sizeText(ends.bytes)} (${shape}). It is shown in part: the beginning and the end.${kept} ${how}]\n${endsOf(ends)}`
}

/** Above a page of lines or bytes. */
export const pageOfLines = (id: string, from: number, to: number, lines: number): string => `[${id}: lines ${from} to ${to} of ${lines}]`
export const pageOfBytes = (id: string, from: number, to: number, bytes: number): string => `[${id}: bytes ${from} to ${to} of ${bytes}]`
export const partAt = (id: string, path: string, type: string): string => `[${id} at ${path === '' ? 'its root' : path}: ${type}]`
export const foundPlaces = (id: string, search: string, places: number, from: number): string =>
  `[${id}: ${places === 1 ? '1 place' : `${places} places`} with ${JSON.stringify(search)}${from === 0 ? '' : ` from byte ${from}`}]`

/** Below what did not fit; `how` are the arguments of the call that goes on. */
export const goesOn = (how: Readonly<Record<string, unknown>>): string => `[It goes on: ${JSON.stringify(how)}]`
export const PAGE_END = '[End]'

export const moreFields = (fields: number): string => `[${fields} more fields: read them by their paths]`

/** Of a part that is too large for one answer. */
export const tooLargePart = (bytes: number, type: string): string => `(${sizeText(bytes)}, not shown: ${type})`

// What a read comes to that finds nothing.
export const unknownResult = (id: string, known: readonly string[]): string =>
  errorOf(
    `there is no result ${id.slice(0, 40).toWellFormed()} in this run. ${known.length === 0 ? 'There is none so far.' : `The last ones: ${known.slice(-10).join(', ')}.`}`,
  )
export const RESULT_GONE = errorOf('this result is not kept any more. Call the tool again if you may, or say what is missing.')
export const noSuchLine = (lines: number): string => errorOf(`it has ${lines} ${lines === 1 ? 'line' : 'lines'}.`)
export const noSuchByte = (bytes: number): string => errorOf(`it has ${bytes} bytes.`)
export const NO_JSON = errorOf('this result is no JSON, so it has no paths. Read it by lines, or search it.')
export const noSuchPath = (at: string, type: string): string =>
  errorOf(`there is nothing at ${at === '' ? 'the root' : at}: before it stands ${type}.`)
export const TOO_COSTLY = errorOf('this result is too large to be read in this way. Read it by lines or bytes, or search it.')
export const BAD_PATH = errorOf(
  'a path is a JSON pointer such as /rows/7/name, of at most 50 parts, of which one may be a slice such as 100:200.',
)
export const ONE_WAY = errorOf('a read is by line, by offset, by path or by search: give one of them (offset may stand beside search).')
export const MORE_READS = errorOf('not made: this turn has read often enough. Go on in the next one.')

/** A reply to an answer of a model that saw a result in part and read no more of it. */
export const unreadReply = (unread: readonly { id: string; tool: string }[]): string =>
  `You have seen the beginning and the end of ${unread.map(({ id, tool }) => `result ${id} of ${tool}`).join(' and of ')}, and read nothing of what is between. Read it with ${READ_RESULT.name} where your answer depends on it, and then give the whole result again. If the two ends are all that it needs, give the same result again.`
