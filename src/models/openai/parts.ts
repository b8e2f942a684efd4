import { isObject } from '../../lib/json/object.ts'
import { oneImage, oneSchema } from '../errors/of-one.ts'
import { fieldsIn } from '../foreign.ts'
import { namesField, withoutKeys, type Part, type Protocol } from '../parameters.ts'
import { hasImages, withoutImages } from './raw/images.ts'
import {
  hasEmpty,
  hasIds,
  hasNoContent,
  hasPlain,
  namesBeside,
  withContent,
  withoutBeside,
  withoutEmpty,
  withoutIds,
  withoutPlain,
} from './raw/message-parts.ts'
import { MAX_TOKENS, SET_BY } from './settings.ts'

/** Names of a format in messages that do not name its field. */
const FORMAT =
  /response[_ ]?(?:format|mime)|json[_ -]?(?:mode|schema|object|output)|structured[_ -]?outputs?|guided[_ -]?(?:json|decoding|grammar)|^text\b|\btext\.format/i
const TOOLS = /\btools?\b|\bfunction[_ -]?call/i
/** Words for a parameter that a server has never heard of, or that has another name by now. */
const UNKNOWN_NAME =
  /\bun(?:known|recogni[sz]ed|expected|supported)\b|\bextra (?:inputs|fields|keys)\b|\bnot (?:recogni[sz]ed|permitted|supported)\b|\buse .{0,40}instead\b/i

/** Words for what a server wants to have. */
const WANTED = /\bmissing\b|\brequired\b|\bmust\b|\bexpected\b/i
/** Words for an item that is told by its id, and is not there. */
const NOT_KEPT = /\bitems?\b.{0,160}(?:\bnot found\b|\bnot persisted\b|\bwithout its required\b)/i

/** Words for images, for a content that is to be a text, and for a message in a place where none may be. */
const IMAGES = /\bimages?\b|\bimage_url\b|\binput_image\b|\bvision\b|\bmulti-?modal|\bvalid string\b|\brole\b.{0,40}\b(?:after|tool)\b/i

/** Fields in which `strict` stands: each tool, and the format. */
const HOLDERS_OF_STRICT = ['tools', 'function', 'response_format', 'json_schema', 'text', 'format']

function hasStrict(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasStrict)
  const fields = fieldsIn(value)
  return 'strict' in fields || HOLDERS_OF_STRICT.some((key) => key in fields && hasStrict(fields[key]))
}

const withoutStrict = (fields: object): object =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([key, one]: [string, unknown]) => {
      if (key === 'strict') return []
      if (!HOLDERS_OF_STRICT.includes(key)) return [[key, one]]
      return [[key, Array.isArray(one) ? one.map(plain) : plain(one)]]
    }),
  )

const plain = (value: unknown) => (isObject(value) ? withoutStrict(value) : value)

const isFormat = (body: object) => 'response_format' in body || 'format' in fieldsIn(fieldsIn(body)['text'])
/** How long answers are stands in the same field. */
const withoutFormat = (body: object) =>
  withoutText(
    withoutKeys(body, (key) => key === 'response_format'),
    'format',
  )
const withoutText = (body: object, gone: 'format' | 'verbosity'): object => {
  const text = withoutKeys(fieldsIn(fieldsIn(body)['text']), (key) => key === gone)
  const rest = withoutKeys(body, (key) => key === 'text')
  return Object.keys(text).length === 0 ? rest : { ...rest, text }
}

/** Parts that are no field of their own, or are not always in the way. */
const SPECIAL: readonly Part[] = [
  {
    name: 'strict',
    isIn: hasStrict,
    isRefused: (named) => /\bstrict\b/i.test(named),
    without: withoutStrict,
  },
  oneSchema({ isIn: isFormat, isRefused: (named) => FORMAT.test(named), without: withoutFormat }),
  {
    name: 'a format of the answer beside tools',
    isIn: (body) => isFormat(body) && 'tools' in body,
    isRefused: (named, message) => FORMAT.test(named) && TOOLS.test(message),
    without: withoutFormat,
  },
  {
    // It keeps nothing for this account, whatever it is told of `store`.
    name: 'ids of what it said',
    isIn: hasIds,
    isRefused: (_, message) => NOT_KEPT.test(message),
    without: withoutIds,
  },
  oneImage(hasImages, withoutImages),
  {
    // Some read no images, and some take no message between results and the answer.
    name: 'images of results',
    isIn: hasImages,
    isRefused: (_, message) => IMAGES.test(message),
    without: (body) => withoutImages(body),
  },
  {
    name: 'an empty message',
    isIn: hasEmpty,
    isRefused: (named, message) => /\b(?:content|text|messages?)\b/.test(named) && /\b(?:non-)?empty\b/i.test(message),
    without: withoutEmpty,
  },
  {
    name: 'a message without content',
    isIn: hasNoContent,
    isRefused: (named, message) => /\bcontent\b/.test(named) && WANTED.test(message),
    without: withContent,
  },
  {
    name: 'text.verbosity',
    isIn: (body) => 'verbosity' in fieldsIn(fieldsIn(body)['text']),
    isRefused: (named) => /\bverbosity\b/i.test(named),
    without: (body) => withoutText(body, 'verbosity'),
  },
  // Each of the two names is unknown to some.
  ...MAX_TOKENS.map((name, at): Part => ({
    name: `${name} by that name`,
    isIn: (body) => name in body,
    isRefused: (named, message) => namesField(named, name) && UNKNOWN_NAME.test(message),
    without: (body) =>
      Object.fromEntries(Object.entries(body).map(([key, value]: [string, unknown]) => [key === name ? MAX_TOKENS[1 - at] : key, value])),
  })),
  { name: 'a format of the answer', isIn: isFormat, isRefused: (named) => FORMAT.test(named), without: withoutFormat },
  // One kind of choice may be refused, and another be what a last turn needs.
  ...['required', 'none', 'auto', 'a tool'].map((kind): Part => ({
    name: `tool_choice: ${kind}`,
    isIn: (body) => 'tool_choice' in body && kind === (typeof body.tool_choice === 'string' ? body.tool_choice : 'a tool'),
    isRefused: (named) => namesField(named, 'tool_choice'),
    without: (body) => withoutKeys(body, (key) => key === 'tool_choice'),
  })),
]

/** Some take a message of the model in the form of an answer alone. */
const PLAIN: Part = {
  name: 'a message of the model as a text',
  isIn: hasPlain,
  isRefused: (_, message) => /\b(?:items?|content|type|input)\b/i.test(message),
  without: withoutPlain,
}

/** A field that came beside the words of the model, and goes back with them. */
const beside = (key: string): Part => ({
  name: `${key} in what the model said`,
  isIn: (body) => namesBeside(body).includes(key),
  isRefused: (named, message) => namesField(named, key) && !WANTED.test(message),
  without: (body) => withoutBeside(body, key),
})

/** What a request of either API of OpenAI can do without. */
export const OPENAI: Protocol = {
  needed: new Set([
    // What it says, and the tools that the answer needs.
    'model',
    'messages',
    'input',
    'instructions',
    'tools',
    'stream',
    'background',
    'previous_response_id',
    'response_format',
    'text',
    'tool_choice',
  ]),
  parts: SPECIAL,
  setBy: SET_BY,
  beside: (body) => namesBeside(body).map(beside),
  last: [PLAIN],
}
