/** What RE2 says of a pattern, with the part that it means, in words with a cure. A sign in [ ] stands for itself, however the text around it is quoted. */
const SAYS: readonly (readonly [words: string, says: (part: string) => string])[] = [
  ['missing closing ]', () => 'a [ is opened and not closed; close it with ], or write [[] for the sign itself'],
  ['missing closing )', () => 'a ( is opened and not closed; close it with ), or write [(] for the sign itself'],
  ['unexpected )', () => 'a ) closes nothing; take it out, or write [)] for the sign itself'],
  [
    'missing argument to repetition operator',
    (part) => `${part} repeats nothing, since nothing stands before it; write .* for any text, or [${part.charAt(0)}] for the sign itself`,
  ],
  ['invalid repeat count', (part) => `${part} is no count; write the smaller number first, as in {1,3}, and none above 1000`],
  ['invalid nested repetition operator', (part) => `${part} repeats what is repeated; keep one of the signs`],
  ['invalid character class range', (part) => `${part} is no range or class of characters; write the lower one first, as in [a-z]`],
  ['invalid escape sequence', (part) => `${part} stands for nothing; write the character without its \\`],
  ['trailing backslash at end of expression', () => 'it ends with a \\, and nothing follows; take it out'],
  ['invalid named capture', () => 'a group has a name that is none; write ( ) without a name'],
  ['invalid or unsupported Perl syntax', (part) => `${part} begins no group that is known; write ( ) or (?: )`],
]

/** Why a pattern is none, of RE2's message. */
export function patternWords(message: string): string {
  const said = message.replace(/^error parsing regexp: /, '')
  const [, words = said, part = ''] = /^([^`]{1,80}): `([^]{0,200})`$/.exec(said) ?? []
  return SAYS.find(([one]) => one === words)?.[1](part) ?? said
}
