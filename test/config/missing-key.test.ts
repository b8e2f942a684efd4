import { expect, test } from 'vitest'
import { missingKey } from '../../src/config/secrets.ts'
import { createConfigFiles, GOOD } from '../support/app/config-files.ts'

const { load } = createConfigFiles()

test.each([
  [
    '  odd: { api: chat, apiKey: "${ODD_KEY:-}" }',
    'providers.odd.apiKey is empty: the variable ODD_KEY is not set',
    'Set the variable ODD_KEY.',
  ],
  [
    '  odd: { baseUrl: "${ODD_URL:-http://127.0.0.1:1}", apiKey: "${ODD_KEY:-}" }',
    'providers.odd.apiKey is empty: the variable ODD_KEY is not set',
    'Set the variable ODD_KEY.',
  ],
  [
    '  odd: { api: chat }',
    'providers.odd.apiKey is not set',
    'Write providers.odd.apiKey, with the variable that has the key, or apiKeyFile.',
  ],
])('of %s is said what is not set, and where', (line, fault, cure) => {
  const text = GOOD.replace('providers:\n', `providers:\n${line}\n`)
  const at = text.split('\n').indexOf(line) + 1
  expect(missingKey(load(text), 'odd')).toEqual({ fault: expect.stringMatching(new RegExp(`\\d\\.yaml:${at}: ${fault}$`)), cure })
})

test('a key that is there is not missing', () => {
  expect(missingKey(load(GOOD.replace('providers:\n', 'providers:\n  odd: { apiKey: long-enough-key }\n')), 'odd')).toBeUndefined()
})
