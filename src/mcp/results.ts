import type { Content } from '../core/ports/journal.ts'
import { keepResult, type Keeping, type ToKeep } from '../core/rules/reading/keep.ts'
import type { ToolOutcome } from '../core/ports/toolbox.ts'
import { PERSON_NEEDED } from '../core/words/calls.ts'
import { errorText, okText, rpcErrorText, type Showing } from '../core/words/results.ts'
import { holdsStructure, readContent, type CallResult, type ReadContent } from './content.ts'
import type { CallAnswer, ReadAnswer, RpcError } from './session/types.ts'

/** Which part of a result the model reads, where it has text and structured content. */
export type ResultsMode = 'auto' | 'text' | 'structured' | 'both'

export interface ReadingOptions extends Keeping {
  /** Id of the result (`resultId`). */
  id: string
  results: ResultsMode
  /** Structured content of this tool is for a page beside the conversation, not for the model (MCP Apps). */
  hasOwnPage: boolean
  /** The server offers its resources. */
  readable: boolean
}

/** What the model is told of a result, and what is to be kept of it before the call ends. */
export interface Answered extends ToolOutcome {
  keep?: ToKeep
  pictures?: Content[]
}

/** What the model is told of an answer. A tool's own error, and the server's, are results: the model decides what follows. */
export async function readAnswer(answer: CallAnswer, options: ReadingOptions): Promise<Answered> {
  if (answer.kind === 'rpc-error') return readError(answer, options)
  const { isError } = answer.result
  return toldAll(isError === true || isError === 'true' ? 'error' : 'ok', resultText(answer.result, options), options)
}

/** What the model is told of a resource. */
export async function readResource(answer: ReadAnswer, options: Omit<ReadingOptions, 'results' | 'hasOwnPage'>): Promise<Answered> {
  if (answer.kind === 'rpc-error') return readError(answer, options)
  const { lines, ...beside } = readContent(answer.blocks, options)
  return toldAll('ok', { text: lines.join('\n'), ...beside }, options)
}

/** All that a result has: its text, its images, and what it names. */
async function toldAll(status: 'ok' | 'error', { text, uris, images, isCut }: ResultText, showing: Told): Promise<Answered> {
  const outcome = await told(status, status === 'ok' ? okText(text) : errorText(text), showing)
  return {
    ...(isCut ? withoutRest(outcome) : outcome),
    ...(images.length > 0 && { pictures: images }),
    uris: uris.filter((uri) => isKept(uri, showing)).slice(0, MAX_URIS),
  }
}

/** What was left out cannot be read by anybody. */
const withoutRest = ({ keep, ...outcome }: Answered): Answered => ({
  ...outcome,
  truncated: true,
  ...(keep && { keep: { ...keep, whole: false } }),
})

/** Only URIs that are shown as they were sent: one that is too long, or of which a part was taken out where it entered, is left out. */
const isKept = (uri: string, { redact }: Showing) => uri.length <= MAX_URI && !/\ufffd|\[secret\]/.test(redact(uri.toWellFormed()))

const MAX_URIS = 200
const MAX_URI = 2048
/** The error with which a server asks for a person who opens an address; the address is a secret of that person's. */
const URL_ELICITATION = -32042

function readError({ code, message, data }: RpcError, showing: Told): Promise<Answered> {
  return told('error', code === URL_ELICITATION ? PERSON_NEEDED : rpcErrorText({ code, message, data: jsonOf(data) }), showing)
}

type Told = Keeping & Pick<ReadingOptions, 'id'>

/** What the model is told of a text, with what is kept of one that is larger than is shown. */
export const told = async (status: 'ok' | 'error', text: string, showing: Told): Promise<Answered> => ({
  status,
  ...(await keepResult(showing.id, text, showing)),
  failure: null,
  mistake: false,
})

type ResultText = Omit<ReadContent, 'lines' | 'texts'> & { text: string }

/**
 * Structured content usually repeats the text. It is given when the text does not hold it, since a summary of it alone would make the model invent the rest;
 * in other modes as the job says.
 */
function resultText({ content, structuredContent }: CallResult, { results, hasOwnPage, readable, redact }: ReadingOptions): ResultText {
  const { lines, texts, ...beside } = readContent(content, { readable, redact })
  const hasText = texts.some((one) => one.trim() !== '')
  const structure = jsonOf(structuredContent)
  if (structure === undefined) return { text: lines.join('\n'), ...beside }
  switch (results) {
    case 'text':
      return { text: lines.join('\n'), ...beside }
    case 'structured':
      return { text: structure, ...beside, isCut: false }
    case 'both':
      break
    case 'auto':
      if (hasText && (hasOwnPage || holdsStructure(texts, structuredContent))) return { text: lines.join('\n'), ...beside }
  }
  return { text: [...lines, structure].filter((line) => line !== '').join('\n'), ...beside }
}

/** JSON of a foreign value; undefined for none, and for one that is nested too deep to be written. */
function jsonOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
