import { expect, test } from 'vitest'
import { refusedKeyCure, secretPlace } from '../../src/config/secrets.ts'
import { modelFailure } from '../../src/models/errors/failure.ts'
import { APIError } from 'openai'
import { createConfigFiles, GOOD } from '../support/app/config-files.ts'

const { load } = createConfigFiles()
const VARIABLE = { variable: 'KEY_OF_IT', text: 'the-text-itself' }

/** Each secret that may be given as a text or as a file, with the line of its section. */
const SECRETS: readonly (readonly [path: string, line: (how: string) => string])[] = [
  ['providers.odd.apiKey', (how) => `providers:\n  odd: { ${how} }\n`],
  ['accounts.odd.token', (how) => `accounts:\n  odd: { ${how} }\n`],
  ['webhooks.odd.secret', (how) => `webhooks:\n  odd: { url: "https://example.com/", ${how} }\n`],
]

test.each(SECRETS)('%s is named as it is configured: a file, a variable, or the text', (path, line) => {
  const key = path.split('.').at(-1) ?? ''
  const section = path.split('.')[0] ?? ''
  const write = (how: string) => {
    const [head = '', own = ''] = line(how).split(/(?<=:\n)/)
    const text = GOOD.includes(`\n${head}`) ? GOOD.replace(`\n${head}`, `\n${head}${own}`) : `${GOOD}${head}${own}`
    return load(text, { [VARIABLE.variable]: VARIABLE.text })
  }
  const place = (how: string, file?: string) => secretPlace(write(how), path.split('.'), file)
  expect(section).not.toBe('')
  expect(place(`${key}File: ./of-it`, '/etc/of-it')).toBe(`the file /etc/of-it (${path}File)`)
  expect(place(`${key}: "\${${VARIABLE.variable}}"`)).toBe(`the variable ${VARIABLE.variable} (${path}), and start again`)
  expect(place(`${key}: ${VARIABLE.text}`)).toBe(path)
})

test('the cure of a key that a provider refuses names the file that is configured, and no other setting', () => {
  const config = load(GOOD.replace('providers:\n', 'providers:\n  odd: { apiKeyFile: ./odd.key }\n'))
  const keyCure = refusedKeyCure(config, 'odd')
  const refused = new APIError(401, { message: 'no' }, undefined, undefined)
  expect(modelFailure(refused, { provider: 'odd', model: 'm', redact: (text) => text, keyCure })).toMatchObject({
    code: 'MODEL_AUTH',
    cure: expect.stringMatching(/^Put a key that the provider accepts into the file \/.*odd\.key \(providers\.odd\.apiKeyFile\)\.$/),
  })
})
