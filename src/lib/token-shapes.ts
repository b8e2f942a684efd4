// What tokens that can be told from any other text look like. Patterns that begin with a fixed word and take all that follows are linear over any text.
const SHAPES: readonly (readonly [what: string, shape: RegExp])[] = [
  // Those of its MCP clients, and a service account's as it is sent.
  ['a token of Pomerium', /pom_m[ar]t_[\w-]{10,}|Pomerium-[\w-]+(?:\.[\w-]+)*/g],
  ['an API token of Nightshift', /nsk_[\w-]{16,}/g],
]

/** The text with each token of Pomerium and each API token of Nightshift replaced, whoever's it is. */
export const replaceTokens = (text: string, by: string): string =>
  SHAPES.reduce((left, [, shape]) => left.replaceAll(shape, (found) => (isToken(found) ? by : found)), text)

/** What kind of token of Pomerium or Nightshift the text holds; undefined when it holds none. */
export const tokenIn = (text: string): string | undefined =>
  SHAPES.find(([, shape]) => [...text.matchAll(shape)].some(([found]) => isToken(found)))?.[0]

const SENT = 'Pomerium-'

/** `Pomerium-` begins names and versions as well: a token is a JWT, or is long and mixes letters of both cases and digits. */
function isToken(found: string): boolean {
  if (!found.startsWith(SENT)) return true
  const rest = found.slice(SENT.length)
  return (
    /^eyJ|pom_m[ar]t_/.test(rest) ||
    rest.split('.').some((part) => part.length >= 20 && /[a-z]/.test(part) && /[A-Z]/.test(part) && /\d/.test(part))
  )
}
