/** Knows the secrets of this process, and takes them out of foreign text before it is kept, logged or told to a model. */
export interface Redactor {
  /** Adds a secret, which is redacted until it expires (`until`). Short texts are ignored: they would match everywhere. */
  add: (secret: string, until?: Date) => void
  redact: (text: string) => string
}

const MIN_LENGTH = 8
/** A part of a token that is as long opens nothing by itself, and still is no business of anybody. */
const MIN_PART = 20

/** Tokens of Pomerium that this process need not know: those of its MCP clients, and any that was sent to it. */
const SHAPES = /pom_m[ar]t_[\w-]{10,}|Pomerium-[\w-]{1,2000}\.[\w-]{1,4000}\.[\w-]{1,2000}/g

/** The parts of a JWT, which may come alone. */
const partsOf = (text: string) => (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text) ? text.split('.').filter((part) => part.length >= MIN_PART) : [])

export function createRedactor(now: () => number = Date.now): Redactor {
  /** Until when each secret opens something. Longest first: when one is a prefix of another, the rest of the longer one would stay. */
  let secrets = new Map<string, number>()
  return {
    add(text, until) {
      if (text.length < MIN_LENGTH) return
      const end = until?.getTime() ?? Number.POSITIVE_INFINITY
      // A secret that is given again stays known for the longer of both times.
      const added = [text, ...partsOf(text)].map((one) => [one, Math.max(secrets.get(one) ?? 0, end)] as const)
      const kept = [...secrets].filter(([, other]) => other > now())
      secrets = new Map([...kept, ...added].toSorted(([a], [b]) => b.length - a.length))
    },
    redact(text) {
      let redacted = text.replaceAll(SHAPES, '[secret]')
      for (const secret of secrets.keys()) redacted = redacted.replaceAll(secret, '[secret]')
      return redacted
    },
  }
}
