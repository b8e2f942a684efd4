/** Knows the secrets of this process, and takes them out of foreign text before it is kept, logged or told to a model. */
export interface Redactor {
  /** Adds a secret, which is redacted until it expires (`until`). Short texts are ignored: they would match everywhere. */
  add: (secret: string, until?: Date) => void
  redact: (text: string) => string
}

const MIN_LENGTH = 8

export function createRedactor(now: () => number = Date.now): Redactor {
  /** Until when each secret opens something. Longest first: when one is a prefix of another, the rest of the longer one would stay. */
  let secrets = new Map<string, number>()
  return {
    add(text, until) {
      if (text.length < MIN_LENGTH) return
      // A secret that is given again stays known for the longer of both times.
      const end = Math.max(secrets.get(text) ?? 0, until?.getTime() ?? Number.POSITIVE_INFINITY)
      const kept = [...secrets].filter(([, other]) => other > now())
      secrets = new Map([...kept, [text, end] as const].toSorted(([a], [b]) => b.length - a.length))
    },
    redact(text) {
      let redacted = text
      for (const secret of secrets.keys()) redacted = redacted.replaceAll(secret, '[secret]')
      return redacted
    },
  }
}
