import { APIError } from 'openai'
import type { ModelSettings } from '../core/models/settings.ts'
import { seenSoFar } from './asked.ts'
import { codeOf } from './errors/code.ts'
import { noteSetting } from './errors/failure.ts'
import { textIn } from './foreign.ts'

/** Statuses with which servers refuse a parameter. */
const REFUSING = new Set([400, 404, 422, 501])
/** Most fields beside the words that are looked for in a refusal, and most parts that are remembered: both are named by the server. */
const MAX_NAMES = 100
/** Most parameters that one request is asked without, one after the other. */
const MAX_ROUNDS = 8

/** Words for a parameter that a server has never heard of. */
const UNKNOWN =
  /\bun(?:known|recogni[sz]ed|expected)\b|\bunsupported param|\bextra (?:inputs|fields|keys)\b|\bnot (?:recogni[sz]ed|permitted)\b/i

/** Words for a limit that was met: calls were made, and asked once more they would be made again. */
const USED_UP = /\bexceed|\breached\b|\bused up\b|\bexhausted\b/i
/** Characters of a message that are read. */
const MAX_READ = 4000

/** A part of a request that it can do without. */
export interface Part {
  /** As it is told. */
  name: string
  isIn: (body: object) => boolean
  /** `named`: the error's field for it, or its message where there is none. */
  isRefused: (named: string, message: string) => boolean
  without: (body: object) => object
  /** What the author of a job set by it: nothing is asked without that. */
  setting?: keyof ModelSettings
  /** Whether it is one where a job has these settings; undefined: always. */
  isOf?: (settings: ModelSettings) => boolean
  /** It is refused for what stands in this conversation or job: the next one is asked with its own. */
  isOnce?: true
}

/** What a protocol's requests may be asked without, beside the fields that are not needed. Those that leave out less come first. */
export interface Protocol {
  /** Fields that a request cannot do without, or that parts of their own speak of. */
  needed: ReadonlySet<string>
  parts: readonly Part[]
  /** Fields that the author of a job set. */
  setBy: Readonly<Record<string, keyof ModelSettings>>
  /** Fields that came beside the words of the model, and go back with them. */
  beside: (body: object) => readonly Part[]
  /** What is tried when nothing else is named. */
  last: readonly Part[]
}

export const withoutKeys = (body: object, isGone: (key: string) => boolean): object =>
  Object.fromEntries(Object.entries(body).filter(([key]) => !isGone(key)))

const field = (key: string, setBy: Protocol['setBy']): Part => ({
  name: key,
  isIn: (body) => key in body,
  // A server that knows the field and refuses its value would keep what it was told not to keep.
  isRefused: (named, message) =>
    namesField(named, key) && (key !== 'store' || UNKNOWN.test(message)) && !(key === 'max_tool_calls' && USED_UP.test(message)),
  without: (body) => withoutKeys(body, (one) => one === key),
  ...(setBy[key] && { setting: setBy[key] }),
})

/** What else a field is known by. */
const ALSO: Readonly<Record<string, RegExp>> = { stream_options: /\binclude_usage\b/, include: /\bencrypted[_ ]content\b/ }

/** Whether a message names a field, or what stands in it: `tool_choice`, `tool choice`, `stream_options`, `include_usage`. */
export function namesField(named: string, name: string): boolean {
  const [text, key] = [named.toLowerCase(), name.toLowerCase()]
  const words = new Set(text.match(/\w+/g))
  if (words.has(key) || (ALSO[key]?.test(text) ?? false)) return true
  return key.includes('_') && text.replaceAll('-', ' ').includes(key.replaceAll('_', ' '))
}

const isPartOf = ({ isIn, isOf }: Part, body: object, settings: ModelSettings): boolean => isIn(body) && (isOf?.(settings) ?? true)

/** The part that a refusal names. */
function refusedPart(
  error: unknown,
  body: object,
  { needed, parts, setBy, beside, last }: Protocol,
  settings: ModelSettings,
): Part | undefined {
  if (!(error instanceof APIError)) return undefined
  const status: number | undefined = error.status
  if (status !== undefined && !REFUSING.has(status)) return undefined
  const message = error.message.slice(0, MAX_READ)
  const fields = Object.keys(body).filter((key) => !needed.has(key))
  const isIn = (part: Part) => isPartOf(part, body, settings)
  const known = [
    ...parts.filter(isIn),
    ...beside(body).slice(0, MAX_NAMES),
    ...fields.map((key) => field(key, setBy)),
    ...last.filter(isIn),
  ]
  const named = [textIn(error.param) ?? '', message].filter((one) => one !== '')
  const part = named.flatMap((one) => known.filter(({ isRefused }) => isRefused(one, message)))[0]
  // A message on what was too long, or was not found, may name how long an answer was to be.
  return part?.setting && codeOf({ status, code: error.code, type: error.type, message }) !== 'MODEL_REJECTED' ? undefined : part
}

/** Sends the request, and once more without each part that the server refuses by its name. `settings`: of the job. */
export type Ask = <Body extends object, Answer>(
  body: Body,
  send: (body: Body) => Promise<Answer>,
  settings?: ModelSettings,
) => Promise<Answer>

/**
 * What one model of a provider does not take, as far as it is known. A part that a server refuses, and that the request can do without, is left out at once from then on, as
 * long as the process lives, or as the run does whose conversation or job it is of; `warn` is told of it once. What else goes wrong is thrown as it came.
 */
export function createParameters(about: string, protocol: Protocol): (warn: (message: string) => void) => Ask {
  const refused = new Map<string, Part>()
  return (warn) => {
    const refusedOnce = new Map<string, Part>()
    return async (body, send, settings = {}) => {
      const dropped: Part[] = []
      let sent: object = body
      for (const part of [...refused.values(), ...refusedOnce.values()]) if (isPartOf(part, sent, settings)) sent = part.without(sent)
      for (;;) {
        const seen = seenSoFar()
        try {
          // oxlint-disable-next-line no-unsafe-type-assertion -- the same request, without fields that may be left out
          const answer = await send(sent as typeof body)
          // Only what helped is remembered.
          for (const part of dropped) {
            if (part.isOnce) {
              refusedOnce.set(part.name, part)
              warn(`${about} did not take ${part.name}: this run goes on without.`)
              continue
            }
            if (refused.has(part.name) || refused.size >= MAX_NAMES) continue
            refused.set(part.name, part)
            warn(`${about} does not take ${part.name}: it is asked without, as long as this process lives.`)
          }
          return answer
        } catch (error) {
          // Who has begun to answer refused nothing, whatever is named in what goes wrong then.
          const part = dropped.length < MAX_ROUNDS && seenSoFar() === seen ? refusedPart(error, sent, protocol, settings) : undefined
          if (part?.setting) noteSetting(error, part.setting)
          if (!part || part.setting) throw error
          dropped.push(part)
          sent = part.without(sent)
        }
      }
    }
  }
}
