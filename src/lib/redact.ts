import { replaceTokens } from './token-shapes.ts'

/** Knows the secrets of this process, and takes them out of foreign text before it is kept, logged or told to a model. */
export interface Redactor {
  /** Adds a secret, which is redacted until it expires (`until`). Short texts are ignored: they would match everywhere. */
  add: (secret: string, until?: Date) => void
  /** The text without the secrets that are known, and without tokens whose shape tells them. One that is split or encoded is not found. */
  redact: (text: string) => string
}

/** Shorter texts are no secrets: they would be found in words, everywhere. */
export const MIN_SECRET_LENGTH = 8
/** A part of a token that is as long opens nothing by itself, and still is no business of anybody. */
const MIN_PART = 20

/** The parts of a JWT, which may come alone. */
const partsOf = (text: string) => (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text) ? text.split('.').filter((part) => part.length >= MIN_PART) : [])

/** The secret as it stands inside JSON, which foreign text often is. */
const inJson = (text: string) => JSON.stringify(text).slice(1, -1)

/** Printable characters as JSON may write them, also in JSON that stands in a text of JSON: `\u0065`, `\/`. */
const ESCAPE = /(?<!\\)\\+(?:u00([2-7][\da-fA-F])|(\/))/g

/** The text with those characters as they are. What is JSON stays the same JSON: quotes and backslashes keep their escapes. */
const unescaped = (text: string) =>
  text.replaceAll(ESCAPE, (escape: string, code: string | undefined, slash: string | undefined) => {
    const char = slash ?? String.fromCharCode(Number.parseInt(code ?? '', 16))
    return char === '"' || char === '\\' ? escape : char
  })

export function createRedactor(now: () => number = Date.now): Redactor {
  /** Until when each secret opens something. Longest first: when one is a prefix of another, the rest of the longer one would stay. */
  let secrets = new Map<string, number>()

  function hide(text: string): string {
    let redacted = replaceTokens(text, '[secret]')
    for (const secret of secrets.keys()) redacted = redacted.replaceAll(secret, '[secret]')
    return redacted
  }

  return {
    add(text, until) {
      if (text.length < MIN_SECRET_LENGTH) return
      const end = until?.getTime() ?? Number.POSITIVE_INFINITY
      // Whoever reads a secret anew for each request gives it each time.
      if ((secrets.get(text) ?? Number.NEGATIVE_INFINITY) >= end) return
      // A secret that is given again stays known for the longer of both times.
      const added = [text, inJson(text), ...partsOf(text)].map((one) => [one, Math.max(secrets.get(one) ?? 0, end)] as const)
      const kept = [...secrets].filter(([, other]) => other > now())
      secrets = new Map([...kept, ...added].toSorted(([a], [b]) => b.length - a.length))
    },
    redact(text) {
      const plain = unescaped(text)
      if (plain !== text) {
        // Only what hides a secret is written otherwise.
        const hidden = hide(plain)
        if (hidden !== plain) return hidden
      }
      return hide(text)
    },
  }
}

/** The value with each text in it redacted, names of fields as well. What is no JSON, such as a date or a function, stays. */
export function redactTexts(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value)
  if (Array.isArray(value)) return value.map((one) => redactTexts(one, redact))
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [redact(key), redactTexts(one, redact)]))
}
