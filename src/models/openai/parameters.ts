import { APIError } from 'openai'
import type { ModelSettings } from '../../core/model-settings.ts'
import { isObject } from '../../lib/json/object.ts'
import { seenSoFar } from '../asked.ts'
import { fieldsIn, textIn } from '../foreign.ts'
import { codeOf } from '../errors/code.ts'
import { noteSetting } from '../errors/failure.ts'
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

/** What a request cannot do without: its model, what it says, and the tools that the answer needs. */
const NEEDED = new Set(['model', 'messages', 'input', 'instructions', 'tools', 'stream', 'background', 'previous_response_id'])
/** Statuses with which servers refuse a parameter. */
const REFUSING = new Set([400, 404, 422, 501])
/** Most fields beside the words that are looked for in a refusal, and most parts that are remembered: both are named by the server. */
const MAX_NAMES = 100
/** Most parameters that one request is asked without, one after the other. */
const MAX_ROUNDS = 8

/** Names of a format in messages that do not name its field. */
const FORMAT =
  /response[_ ]?(?:format|mime)|json[_ -]?(?:mode|schema|object|output)|structured[_ -]?outputs?|guided[_ -]?(?:json|decoding|grammar)|^text\b|\btext\.format/i
const TOOLS = /\btools?\b|\bfunction[_ -]?call/i
const FORMATS = new Set(['response_format', 'text'])
/** Words for a parameter that a server has never heard of. */
const UNKNOWN =
  /\bun(?:known|recogni[sz]ed|expected)\b|\bunsupported param|\bextra (?:inputs|fields|keys)\b|\bnot (?:recogni[sz]ed|permitted)\b/i

/** The same, and words for one that has another name by now. */
const UNKNOWN_NAME =
  /\bun(?:known|recogni[sz]ed|expected|supported)\b|\bextra (?:inputs|fields|keys)\b|\bnot (?:recogni[sz]ed|permitted|supported)\b|\buse .{0,40}instead\b/i

/** Words for a limit that was met: calls were made, and asked once more they would be made again. */
const USED_UP = /\bexceed|\breached\b|\bused up\b|\bexhausted\b/i
/** Words for what a server wants to have. */
const WANTED = /\bmissing\b|\brequired\b|\bmust\b|\bexpected\b/i
/** Words for an item that is told by its id, and is not there. */
const NOT_KEPT = /\bitems?\b.{0,160}(?:\bnot found\b|\bnot persisted\b|\bwithout its required\b)/i
/** Characters of a message that are read. */
const MAX_READ = 4000

/** A part of a request that it can do without. */
interface Part {
  /** As it is told. */
  name: string
  isIn: (body: object) => boolean
  /** `named`: the error's field for it, or its message where there is none. */
  isRefused: (named: string, message: string) => boolean
  without: (body: object) => object
  /** What the author of a job set by it: nothing is asked without that. */
  setting?: keyof ModelSettings
}

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
const withoutKeys = (body: object, isGone: (key: string) => boolean): object =>
  Object.fromEntries(Object.entries(body).filter(([key]) => !isGone(key)))
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

const field = (key: string): Part => ({
  name: key,
  isIn: (body) => key in body,
  // A server that knows the field and refuses its value would keep what it was told not to keep.
  isRefused: (named, message) =>
    namesField(named, key) && (key !== 'store' || UNKNOWN.test(message)) && !(key === 'max_tool_calls' && USED_UP.test(message)),
  without: (body) => withoutKeys(body, (one) => one === key),
  ...(SET_BY[key] && { setting: SET_BY[key] }),
})

/** What else a field is known by. */
const ALSO: Readonly<Record<string, RegExp>> = { stream_options: /\binclude_usage\b/, include: /\bencrypted[_ ]content\b/ }

/** Whether a message names a field, or what stands in it: `tool_choice`, `tool choice`, `stream_options`, `include_usage`. */
function namesField(named: string, name: string): boolean {
  const [text, key] = [named.toLowerCase(), name.toLowerCase()]
  const words = new Set(text.match(/\w+/g))
  if (words.has(key) || (ALSO[key]?.test(text) ?? false)) return true
  return key.includes('_') && text.replaceAll('-', ' ').includes(key.replaceAll('_', ' '))
}

/** The part that a refusal names. Those that leave out less come first. */
function refusedPart(error: unknown, body: object): Part | undefined {
  if (!(error instanceof APIError)) return undefined
  const status: number | undefined = error.status
  if (status !== undefined && !REFUSING.has(status)) return undefined
  const message = error.message.slice(0, MAX_READ)
  const fields = Object.keys(body).filter((key) => !NEEDED.has(key) && !FORMATS.has(key) && key !== 'tool_choice')
  const isIn = (part: Part) => part.isIn(body)
  const parts = [
    ...SPECIAL.filter(isIn),
    ...namesBeside(body).slice(0, MAX_NAMES).map(beside),
    ...fields.map(field),
    ...[PLAIN].filter(isIn),
  ]
  const named = [textIn(error.param) ?? '', message].filter((one) => one !== '')
  const part = named.flatMap((one) => parts.filter(({ isRefused }) => isRefused(one, message)))[0]
  // A message on what was too long, or was not found, may name how long an answer was to be.
  return part?.setting && codeOf({ status, code: error.code, type: error.type, message }) !== 'MODEL_REJECTED' ? undefined : part
}

/** Sends the request, and once more without each part that the server refuses by its name. */
export type Ask = <Body extends object, Answer>(body: Body, send: (body: Body) => Promise<Answer>) => Promise<Answer>

/**
 * What one model of a provider does not take, as far as it is known. A part that a server refuses, and that the request can do without, is left out at once from then on, as
 * long as the process lives; `warn` is told of it once. What else goes wrong is thrown as it came.
 */
export function createParameters(about: string): (warn: (message: string) => void) => Ask {
  const refused = new Map<string, Part>()
  return (warn) => async (body, send) => {
    const dropped: Part[] = []
    let sent: object = body
    for (const part of refused.values()) if (part.isIn(sent)) sent = part.without(sent)
    for (;;) {
      const seen = seenSoFar()
      try {
        // oxlint-disable-next-line no-unsafe-type-assertion -- the same request, without fields that may be left out
        const answer = await send(sent as typeof body)
        // Only what helped is remembered.
        for (const part of dropped) {
          if (refused.has(part.name) || refused.size >= MAX_NAMES) continue
          refused.set(part.name, part)
          warn(`${about} does not take ${part.name}: it is asked without, as long as this process lives.`)
        }
        return answer
      } catch (error) {
        // Who has begun to answer refused nothing, whatever is named in what goes wrong then.
        const part = dropped.length < MAX_ROUNDS && seenSoFar() === seen ? refusedPart(error, sent) : undefined
        if (part?.setting) noteSetting(error, part.setting)
        if (!part || part.setting) throw error
        dropped.push(part)
        sent = part.without(sent)
      }
    }
  }
}
