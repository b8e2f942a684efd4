import { expect, test } from 'vitest'
import { secretLines } from '../../src/lib/secret-lines.ts'

const LONG = 'a1B2'.repeat(10)

test.each([
  [`pom_mat_${LONG}`, 'a token of Pomerium'],
  [`Bearer Pomerium-${LONG}`, 'a token of Pomerium'],
  [`nsk_${LONG}`, 'an API token of Nightshift'],
  [`key sk-proj-${LONG}`, 'a key of a model provider'],
  [`eyJ${LONG}.eyJ${LONG}.x`, 'a JSON Web Token'],
  [`ghp_${LONG}`, 'a token of GitHub'],
  [`xoxb-${LONG}`, 'a token of Slack'],
  ['AKIA0123456789ABCDEF', 'a key of AWS'],
  ['-----BEGIN RSA PRIVATE KEY-----', 'a private key'],
  ['postgres://reader:hunter2@db/ledger', 'a password in an address'],
  [`AIza${LONG}`, 'a key of Google'],
  ['password=hunter2', 'a password'],
  ['password: "Summer-2026"', 'a password'],
  ['the password is hunter2,', 'a password'],
  ['api_key: 0123456789abcdef0123456789abcdef', 'a key'],
  ['"secretKey": "0123456789abcdef0123456789abcdef"', 'a key'],
])('%s looks like a secret', (secret, what) => {
  expect(secretLines(`account: reports\nprompt: use ${secret} now\n`)).toEqual([{ line: 2, what }])
})

test.each([
  'https://example.com/a:b@c',
  'postgres://reader@db/ledger',
  'postgres://reader:${PASSWORD}@db/ledger',
  'sk-short',
  'password: required',
  'password: ${PASSWORD_2}',
  'password: { type: string, minLength: 8 }',
  'the password is not to be asked for',
  'api_key: ${API_KEY_2_OF_ALL}',
  'apiKeyFile: /run/secrets/openai-key-2026',
  'task-force-of-many-people-and-more',
])('%s does not', (text) => {
  expect(secretLines(text)).toEqual([])
})

test.each(['a', ':', '/', '@', '-', '_', 'eyJ', 'sk-', '://', 'password=', 'api_key=a'])(
  '100 KB of %s are looked through in linear time',
  { timeout: 5000 },
  (part) => {
    expect(secretLines(part.repeat(100_000 / part.length))).toBeInstanceOf(Array)
  },
)
