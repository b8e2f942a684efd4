/** An escape of half of a surrogate pair: of the first half with or without the second one, of the second alone, or any other. */
const ESCAPE = /\\(?:u([dD][89abAB][\da-fA-F]{2})(\\u[dD][c-fC-F][\da-fA-F]{2})?|u([dD][c-fC-F][\da-fA-F]{2})|[^])/g
const MAYBE_HALF = /\\u[dD][89a-fA-F]/

/**
 * The JSON text with U+FFFD for each half of a character, written out or as an escape: no digest, no Postgres and no UTF-8 holds one. Programs that cut a text by UTF-16
 * units make them.
 */
export function wellFormedJson(text: string): string {
  const whole = text.toWellFormed()
  if (!MAYBE_HALF.test(whole)) return whole
  return whole.replaceAll(ESCAPE, (escape: string, first?: string, pair?: string, second?: string) =>
    (first !== undefined && pair === undefined) || second !== undefined ? '\\ufffd' : escape,
  )
}

/** The same for a value that was parsed. */
export function wellFormed<T>(value: T): T {
  const text = JSON.stringify(value) ?? ''
  const mended = wellFormedJson(text)
  // oxlint-disable-next-line no-unsafe-type-assertion -- the same value, with other characters in its texts
  return mended === text ? value : (JSON.parse(mended) as T)
}
