import { expect, test } from 'vitest'
import { substitute } from '../../src/config/environment.ts'

const env = { NAME: 'value', EMPTY: '' }

test.each([
  ['${NAME}', 'value'],
  ['a ${NAME} and ${NAME:-other}', 'a value and value'],
  ['${MISSING:-}', ''],
  ['${EMPTY:-text}', 'text'],
  ['$${NAME}', '${NAME}'],
  ['$$${NAME}', '$${NAME}'],
  ['$NAME $5 $ {NAME}', '$NAME $5 $ {NAME}'],
])('%s becomes %s', (value, text) => {
  expect(substitute(value, env)).toBe(text)
})

test.each(['${NAME-x}', '${NAME:?missing}', '${NAME:=x}', '${DB.URL}', '${}', '${ NAME }', 'postgres://${NAME', '${1}'])(
  '%s is a form of another program, and is not taken for the text itself',
  (value) => {
    expect(() => substitute(value, env)).toThrow(
      'has a ${ that is no variable; write ${NAME} or ${NAME:-default}, or $${ for the characters themselves',
    )
  },
)

test.each(['${MISSING}', '${EMPTY}'])('%s is an error that names the variable', (value) => {
  expect(() => substitute(value, env)).toThrow('which is not set; set it, or write ${')
})
