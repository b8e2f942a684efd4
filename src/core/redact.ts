/** Knows the secrets of this process, and takes them out of foreign text before it is kept, logged or told to a model. */
export interface Redactor {
  /** A secret from now on. Short texts are not: they would be found everywhere. */
  add: (secret: string) => void
  redact: (text: string) => string
}

const MIN_LENGTH = 8

export function createRedactor(): Redactor {
  // Longest first: one may be the beginning of another, whose rest would stay.
  let secrets: string[] = []
  return {
    add(secret) {
      if (secret.length < MIN_LENGTH || secrets.includes(secret)) return
      secrets = [...secrets, secret].toSorted((a, b) => b.length - a.length)
    },
    redact(text) {
      let redacted = text
      for (const secret of secrets) redacted = redacted.replaceAll(secret, '[secret]')
      return redacted
    },
  }
}
