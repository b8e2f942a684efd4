/** The texts and numbers of a JSON document, in their order. */
const TEXT_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
/** Integers of fewer digits are all held by a double. */
const LONG_INTEGER = /^-?\d{16,}$/
const MAX_SHOWN = 40

/** The first integer of a JSON document that a double does not hold, with what it would become; undefined when all are kept digit by digit. */
export function inexactInteger(json: string): { digits: string; kept: string } | undefined {
  for (const [token] of json.matchAll(TEXT_OR_NUMBER)) {
    if (!LONG_INTEGER.test(token)) continue
    const kept = Number(token)
    if (Number.isFinite(kept) && BigInt(token) === BigInt(kept)) continue
    return { digits: token.length > MAX_SHOWN ? `${token.slice(0, MAX_SHOWN)}…` : token, kept: String(kept) }
  }
  return undefined
}
