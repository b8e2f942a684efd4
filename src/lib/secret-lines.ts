import { tokenIn } from './token-shapes.ts'

/** What secrets of other well-known services look like. */
const SHAPES: readonly (readonly [string, RegExp])[] = [
  ['a key of a model provider', /\bsk-[\w-]{20,}/],
  ['a JSON Web Token', /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}/],
  ['a token of GitHub', /\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}/],
  ['a token of Slack', /\bxox[abprs]-[\w-]{10,}/],
  ['a key of AWS', /\bAKIA[0-9A-Z]{16}\b/],
  ['a key of Google', /\bAIza[\w-]{30,}/],
  ['a private key', /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----/],
  ['a password in an address', /\b[a-z][a-z+]{1,20}:\/\/[^\s/:@]{1,100}:[^\s/@${]{1,100}@/],
]

/** What follows the name of a secret, and is no word and no variable. */
const NAMED: readonly (readonly [what: string, shape: RegExp])[] = [
  ['a password', /\b(?:password|passwd|passphrase|passwort)(?: is | ist |["']?[:=] ?)["'`]?([^\s"'`${}<>[\]()/]{6,100})/i],
  ['a key', /\b(?:api|access|secret|auth)[_-]?(?:key|token)(?: is | ist |["']?[:=] ?)["'`]?([\w+/=-]{16,200})/i],
]

const named = (line: string) =>
  NAMED.find(([, shape]) => {
    const [, value = ''] = shape.exec(line) ?? []
    return /\d/.test(value) && /[A-Za-z]/.test(value)
  })?.[0]

/** The lines of a text that hold what looks like a secret, and what it looks like; never the secret. */
export function secretLines(text: string): { line: number; what: string }[] {
  return text.split('\n').flatMap((line, index) => {
    const what = tokenIn(line) ?? SHAPES.find(([, shape]) => shape.test(line))?.[0] ?? named(line)
    return what === undefined ? [] : [{ line: index + 1, what }]
  })
}
