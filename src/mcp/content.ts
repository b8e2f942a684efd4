import { z } from 'zod'
import { canonicalJson } from '../lib/hash/digest.ts'
import type { Content } from '../core/ports/journal.ts'
import { imageType, MAX_IMAGE_BYTES, MAX_IMAGES } from '../core/rules/reading/images.ts'
import { binaryText, imageText, leftOutText, linkText, moreBlocksText, moreMessagesText, UNKNOWN_BLOCK } from '../core/words/results.ts'
import { parseDigits } from '../lib/json/parse.ts'

/** Read tolerantly: an invalid field or block does not invalidate the others, and null counts as absent. */
export const callResultSchema = z.looseObject({
  content: z.unknown().optional(),
  structuredContent: z.unknown().optional(),
  isError: z.unknown().optional(),
})

export type CallResult = z.output<typeof callResultSchema>

const word = z.string().nullish().catch(null)
const annotated = {
  annotations: z
    .looseObject({ audience: z.array(z.string()).nullish().catch(null) })
    .nullish()
    .catch(null),
}
const textBlock = z.looseObject({ type: z.literal('text'), text: z.string(), ...annotated })
const binaryBlock = z.looseObject({ type: z.enum(['image', 'audio']), data: word, mimeType: word, ...annotated })
const linkBlock = z.looseObject({
  type: z.literal('resource_link'),
  uri: z.string(),
  name: word,
  title: word,
  description: word,
  mimeType: word,
  size: z.number().nullish().catch(null),
  ...annotated,
})
const contents = z.looseObject({ uri: z.string().catch(''), text: word, blob: word, mimeType: word })
const resourceBlock = z.looseObject({ type: z.literal('resource'), resource: contents, ...annotated })
const blockSchema = z.discriminatedUnion('type', [textBlock, binaryBlock, linkBlock, resourceBlock])

/** What the blocks of a result say. */
export interface ReadContent {
  /** What the model reads of each block. */
  lines: string[]
  /** The blocks that are text of the tool's own. */
  texts: string[]
  /** URIs of resources that are named and not held. */
  uris: string[]
  /** Images that a model may be shown. */
  images: Content[]
  /** There are more blocks than are read. */
  isCut: boolean
}

export interface ReadingContent {
  /** The server offers its resources. */
  readable: boolean
  /** Bytes in which a secret stands are not shown. */
  redact: (text: string) => string
}

/** Most blocks that are read: each is checked by itself. */
const MAX_BLOCKS = 10_000

/** Reads the blocks of a result. */
export function readContent(content: unknown, reading: ReadingContent): ReadContent {
  const read: ReadContent = { lines: [], texts: [], uris: [], images: [], isCut: false }
  let leftOut = 0
  const blocks = blocksOf(content)
  for (const one of blocks.slice(0, MAX_BLOCKS)) {
    const block = blockSchema.safeParse(one).data
    const audience = block?.annotations?.audience
    if (audience?.length === 1 && audience[0] === 'user') leftOut++
    else addBlock(read, block, reading)
  }
  if (leftOut > 0) read.lines.push(leftOutText(leftOut))
  if (blocks.length <= MAX_BLOCKS) return read
  read.lines.push(moreBlocksText(blocks.length - MAX_BLOCKS))
  return { ...read, isCut: true }
}

/** Some servers send the one block, or its text, in the place of the list. */
function blocksOf(content: unknown): unknown[] {
  if (content === undefined || content === null) return []
  if (Array.isArray(content)) return content
  return [typeof content === 'string' ? { type: 'text', text: content } : content]
}

function addBlock(read: ReadContent, block: z.output<typeof blockSchema> | undefined, reading: ReadingContent): void {
  switch (block?.type) {
    case undefined:
      return void read.lines.push(UNKNOWN_BLOCK)
    case 'text':
      read.texts.push(block.text)
      return void read.lines.push(block.text)
    case 'image':
    case 'audio':
      return addBytes(read, block.type, block.data, block.mimeType, reading)
    case 'resource_link': {
      const { uri, name, title, description, mimeType, size } = block
      read.uris.push(uri)
      const link = {
        uri,
        name: title ?? name ?? undefined,
        description: description ?? undefined,
        mimeType: mimeType ?? undefined,
        bytes: size ?? undefined,
      }
      return void read.lines.push(linkText(link, reading.readable))
    }
    case 'resource': {
      const { uri, blob, mimeType } = block.resource
      const text = textOf(block.resource)
      if (text === undefined) return addBytes(read, `resource ${uri}`, blob, mimeType, reading)
      read.texts.push(text)
      read.lines.push(text)
    }
  }
}

const TEXT_TYPE = /^text\/|[/+](?:json|xml|yaml|csv|javascript)\b|^application\/(?:sql|toml|x-ndjson)\b/i

/** Bytes: an image that can be shown, or what they are in words. */
function addBytes(
  read: ReadContent,
  kind: string,
  data: string | null | undefined,
  mimeType: string | null | undefined,
  { redact }: ReadingContent,
): void {
  const bytes = base64Bytes(data)
  const content = bytes <= MAX_IMAGE_BYTES && read.images.length < MAX_IMAGES ? Buffer.from(data ?? '', 'base64') : undefined
  const mediaType = content && imageType(content)
  const isClean = (plain: string) => redact(plain) === plain
  // A provider is sent its base64.
  if (!content || mediaType === undefined || !isClean(content.toString()) || !isClean(content.toString('base64')))
    return void read.lines.push(binaryText(kind, mimeType ?? undefined, bytes))
  read.images.push({ content, mediaType })
  read.lines.push(imageText(mediaType, content.length))
}

/** The text of a resource; undefined for bytes. Those whose type is a text's, and that are UTF-8, are text. */
function textOf({ text: own, blob, mimeType }: z.output<typeof contents>): string | undefined {
  if (typeof own === 'string') return own
  if (typeof blob === 'string' && TEXT_TYPE.test(mimeType ?? '')) {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(blob, 'base64'))
    } catch {
      // Not UTF-8: bytes after all.
    }
  }
  return undefined
}

const base64Bytes = (data: string | null | undefined) => Buffer.byteLength(data ?? '', 'base64')

/** The answer to `resources/read`. */
export const readResultSchema = z.looseObject({ contents: z.unknown().optional() })

/** The parts of a resource, as blocks of a result have them. */
export const resourceBlocks = (result: z.output<typeof readResultSchema>): unknown[] =>
  blocksOf(result.contents).map((resource) => ({ type: 'resource', resource }))

/** The answer to `prompts/get`. */
export const promptResultSchema = z.looseObject({ messages: z.unknown().optional() })

const promptMessage = z.looseObject({ role: z.string().catch('user'), content: z.unknown().optional() })

/** Blocks as text, of which nothing is shown but the words: images are told of. */
export const wordsOf = (blocks: unknown): string => readContent(blocks, { readable: false, redact: () => '' }).lines.join('\n')

/** Most messages of a prompt that are read. */
const MAX_MESSAGES = 1000

/** The messages of a prompt as text; who speaks is said where it is not the user. */
export function promptTexts({ messages }: z.output<typeof promptResultSchema>): string {
  const all = blocksOf(messages)
  const texts = all.slice(0, MAX_MESSAGES).map((one) => {
    const { role, content } = promptMessage.safeParse(one).data ?? { role: 'user', content: one }
    const text = wordsOf(content)
    return role === 'user' ? text : `${role}: ${text}`
  })
  return [...texts, ...(all.length > MAX_MESSAGES ? [moreMessagesText(all.length - MAX_MESSAGES)] : [])].join('\n\n')
}

/**
 * Whether the text blocks of a result already say what its structured content says: one of them, or all together, are that JSON or hold it. Some
 * servers wrap a value that is no object as `{ "result": … }`, and a list as a block for each of its values.
 */
export function holdsStructure(texts: readonly string[], structured: unknown): boolean {
  const values = isWrapped(structured) ? [structured, structured.result] : [structured]
  return values.some((value) => {
    if (isListed(texts, value)) return true
    const isIn = heldBy(value)
    return texts.some(isIn) || (texts.length > 1 && isIn(texts.join('\n')))
  })
}

const isWrapped = (value: unknown): value is { result: unknown } =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 1 && 'result' in value

const isListed = (texts: readonly string[], value: unknown) =>
  Array.isArray(value) && value.length === texts.length && value.every((one, i) => heldBy(one)(texts[i] ?? ''))

/** Whether a text says a value. The value is written once, however many texts are asked: a result may have ten thousand, and megabytes beside them. */
function heldBy(value: unknown): (text: string) => boolean {
  const json = JSON.stringify(value)
  const squeezed = once(() => withoutSpace(json))
  const canonical = once(() => canonicalJson(value))
  const isParts = typeof value === 'object' && value !== null
  return (text) => {
    if (typeof value === 'string' && text === value) return true
    // Too short to contain it: not parsed.
    if (text.length * 2 < json.length) return false
    const isInside = isParts ? json.length > 2 && withoutSpace(text).includes(squeezed()) : standsIn(text, json)
    return isInside || isJsonOf(text, canonical)
  }
}

/** A figure or a word of its own: 123 does not stand in 1234, nor in 12.123. */
function standsIn(text: string, json: string): boolean {
  const isEdge = (at: number) => !/[\w.,-]/.test(text.charAt(at))
  for (let at = text.indexOf(json); at !== -1; at = text.indexOf(json, at + json.length))
    if (isEdge(at - 1) && /^(?!\w|[.,]\d)/.test(text.slice(at + json.length, at + json.length + 2))) return true
  return false
}

/** However it is indented: with all levels of a deep value indented, it would be larger than any text may be. */
const withoutSpace = (text: string) => text.replaceAll(/\s+/g, '')

/** Whether a text is the JSON of a value, however it is spaced and ordered. */
function isJsonOf(text: string, canonical: () => string): boolean {
  if (!/^\s*[[{"\d\-tfn]/.test(text)) return false
  try {
    return canonicalJson(parseDigits(text)) === canonical()
  } catch {
    return false
  }
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}
