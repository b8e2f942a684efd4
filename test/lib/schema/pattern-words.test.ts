import { expect, test } from 'vitest'
import { patternFault } from '../../../src/lib/schema/linear.ts'

test.each([
  ['[a-', 'a [ is opened and not closed; close it with ], or write [[] for the sign itself'],
  ['(a', 'a ( is opened and not closed; close it with ), or write [(] for the sign itself'],
  ['a)', 'a ) closes nothing; take it out, or write [)] for the sign itself'],
  ['*csv', '* repeats nothing, since nothing stands before it; write .* for any text, or [*] for the sign itself'],
  ['*.csv', 'it is a pattern of file names, and a regular expression is wanted; write [.]csv$ for a text that ends in .csv'],
  ['*.tar.gz', 'it is a pattern of file names, and a regular expression is wanted; write [.]tar[.]gz$ for a text that ends in .tar.gz'],
  ['?a', '? repeats nothing, since nothing stands before it; write .* for any text, or [?] for the sign itself'],
  ['a{1001}', '{1001} is no count; write the smaller number first, as in {1,3}, and none above 1000'],
  ['a{3,2}', '{3,2} is no count; write the smaller number first, as in {1,3}, and none above 1000'],
  ['a**', '** repeats what is repeated; keep one of the signs'],
  ['[z-a]', 'z-a is no range or class of characters; write the lower one first, as in [a-z]'],
  ['\\p{Foo}', '\\p{Foo} is no range or class of characters; write the lower one first, as in [a-z]'],
  ['a\\', 'it ends with a \\, and nothing follows; take it out'],
  ['(?P<a', 'a group has a name that is none; write ( ) without a name'],
  ['(?#a)b', '(?# begins no group that is known; write ( ) or (?: )'],
])('of %s is said what is wrong, and what to write', (pattern, fault) => {
  expect(patternFault(pattern)).toBe(fault)
})

test.each(['[[]a', '[(]a', 'a[)]', '.*.csv', '[*].csv', '[.]tar[.]gz$', '[?]a', 'a{1,3}', '[a-z]', '(?:a)b'])(
  '%s, as it is proposed, is a pattern',
  (pattern) => {
    expect(patternFault(pattern)).toBeUndefined()
  },
)
