import { cutMiddle, sizeText } from '../../lib/text.ts'

// What a model reads of the result of a tool, in the words of Nightshift; golden tests hold each of them.

/** How a run shows foreign text to its model. */
export interface Showing {
  /** Most bytes of a result that are shown. */
  resultBytes: number
  /** Takes secrets out, before the text is kept or told to the model. */
  redact: (text: string) => string
}

/** The name of a result in its conversation, such as `t3c1` for the first call of turn 3. */
export const resultId = (turn: number, position: number): string => `t${turn}c${position + 1}`

/** The name under which a model reads a resource of a server. */
export const READ_TOOL = 'nightshift__read'

/**
 * What the model reads of a result, of our own calls as of a provider's: well-formed, without secrets, and of a long one the beginning and the end with what is
 * missing between them.
 */
export function showResult(whole: string, { resultBytes, redact }: Showing): { text: string; truncated: boolean } {
  const text = redact(whole.toWellFormed())
  const cut = cutMiddle(text, resultBytes)
  if (!cut) return { text, truncated: false }
  const missing = cut.bytes - Buffer.byteLength(cut.head) - Buffer.byteLength(cut.tail)
  return { text: endsOf({ ...cut, missing }), truncated: true }
}

export interface Ends {
  head: string
  tail: string
  bytes: number
  /** Bytes between them. */
  missing: number
}

/** Beginning and end of a text, with what is left out between them. */
export const endsOf = ({ head, tail, bytes, missing }: Ends): string =>
  `${head}\n[${sizeText(missing)} of ${sizeText(bytes)} are left out here]\n${tail}`

const NO_CONTENT = '(the tool gave no content)'
const NO_WORDS = 'Error: the tool failed and said nothing.'

/** The text of a result that is no error: never empty, so that nothing is taken for an empty table. */
export const okText = (text: string): string => (text.trim() === '' ? NO_CONTENT : text)

/** The text of an error: always says that it is one. */
export function errorText(text: string): string {
  if (text.trim() === '') return NO_WORDS
  return text.trimStart().startsWith('Error:') ? text : `Error: ${text}`
}

/** A JSON-RPC error: the server refused the request instead of answering with a result. `data` is JSON. */
export function rpcErrorText({ code, message, data }: { code: number; message: string; data: string | undefined }): string {
  const said = `${errorText(message)} (code ${code})`
  return data === undefined ? said : `${said}\n${data}`
}

/** Content that is not text. */
export const binaryText = (kind: string, mimeType: string | undefined, bytes: number): string =>
  `[${kind}, ${mimeType ?? 'of unknown type'}, ${sizeText(bytes)}, not shown]`

/** An image that is given beside the text. */
export const imageText = (mediaType: string, bytes: number): string => `[image, ${mediaType}, ${sizeText(bytes)}, given with this result]`

/** Of images of a result behind the most that a conversation may hold. */
export const imagesLeftOut = (images: number): string =>
  `[Nightshift: ${images === 1 ? 'an image' : `${images} images`} of this result cannot be given: this run has seen as many as it may.]`

/** In the place of an image, to a model that reads none. */
export const imageNotRead = (mediaType: string): string => `[an image, ${mediaType}: this model reads no images]`

/** In the place of an image of a conversation with one that the provider does not take. */
export const imageNotTaken = (mediaType: string): string =>
  `[an image, ${mediaType}: one of these images could not be read, and none is given]`

export interface Link {
  uri: string
  name: string | undefined
  description: string | undefined
  mimeType: string | undefined
  bytes: number | undefined
}

/** A resource that a result names without holding it. `readable`: the server offers its resources. */
export function linkText({ uri, name, description, mimeType, bytes }: Link, readable: boolean): string {
  const about = [mimeType, bytes === undefined ? undefined : sizeText(bytes)].filter((one) => one !== undefined)
  const title = `[link${name === undefined ? '' : ` ${name}`}: ${uri}${about.length === 0 ? '' : ` (${about.join(', ')})`}`
  const what = description === undefined ? '' : `. ${description.replace(/\.$/, '')}`
  return `${title}${what}. ${readable ? `Read it with ${READ_TOOL}.` : 'Not fetched.'}]`
}

/** Blocks that the server meant for a person alone. */
export const leftOutText = (blocks: number): string =>
  `[${blocks === 1 ? '1 block is' : `${blocks} blocks are`} left out: meant for a person, not for you]`

/** Blocks behind the most that are read. */
export const moreBlocksText = (blocks: number): string => `[${blocks} more blocks are left out]`

/** Messages of a prompt behind the most that are read. */
export const moreMessagesText = (messages: number): string => `[${messages} more messages are left out]`

export const UNKNOWN_BLOCK = '[a block of a kind that is not known here]'
