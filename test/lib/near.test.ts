import { expect, test } from 'vitest'
import { nearest, suggest } from '../../src/lib/near.ts'

test.each([
  ['requird', ['required', 'title'], 'required'],
  ['adress', ['url', 'address'], 'address'],
  ['AllOf', ['allOf', 'oneOf'], 'allOf'],
  ['ckeck', ['check'], 'check'],
  ['retries', ['retry', 'limits'], undefined],
  ['ab', ['xy'], undefined],
  ['anything', [], undefined],
])('%s among %j is %s', (name, known, near) => {
  expect(nearest(name, known)).toBe(near)
})

test.each([
  ['tols', ['tools', 'model'], 'did you mean tools?'],
  ['steps', ['tools', 'model'], 'known are tools, model'],
  ['steps', [], 'there is none'],
])('for %s among %j it is said: %s', (name, known, text) => {
  expect(suggest(name, known)).toBe(text)
})

test('of very many names the first are said', () => {
  expect(
    suggest(
      'x',
      Array.from({ length: 31 }, (_, at) => `name-${at}`),
    ),
  ).toMatch(/^known are name-0, .*name-29, …$/)
})
