/** Knows the secrets of this process, and takes them out of foreign text before it is kept, logged or told to a model. */
export interface Redactor {
  /** Adds a secret, which is redacted until it expires (`until`). Short texts are ignored: they would match everywhere. */
  add: (secret: string, until?: Date) => void
  redact: (text: string) => string
}

const MIN_LENGTH = 8

export function createRedactor(now: () => number = Date.now): Redactor {
  // Longest first: when one secret is a prefix of another, the rest of the longer one would stay.
  let secrets: { text: string; until: number }[] = []
  return {
    add(text, until) {
      if (text.length < MIN_LENGTH || secrets.some((known) => known.text === text)) return
      const kept = secrets.filter((known) => known.until > now())
      secrets = [...kept, { text, until: until?.getTime() ?? Number.POSITIVE_INFINITY }].toSorted((a, b) => b.text.length - a.text.length)
    },
    redact(text) {
      let redacted = text
      for (const secret of secrets) redacted = redacted.replaceAll(secret.text, '[secret]')
      return redacted
    },
  }
}
