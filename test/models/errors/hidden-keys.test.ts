// Providers repeat keys in their messages, also such as are not ours.
import { APIError } from 'openai'
import { expect, test } from 'vitest'
import { modelFailure } from '../../../src/models/errors/failure.ts'

const rows: [said: string, told: string][] = [
  ['Incorrect API key provided: sk-abcdefgh.', 'Incorrect API key provided: [key].'],
  ['Incorrect API key provided: sk-proj-12***34 (see the list)', 'Incorrect API key provided: [key] (see the list).'],
  ['Your key abc123def456 is not active', 'Your [key] is not active.'],
  ['key-1234567890 is none', '[key] is none.'],
  ['Bearer abcdefghijklmnopqrstuvwxyz is none', '[key] is none.'],
  ['Bearer a1b2c3d4 is none', '[key] is none.'],
  ['pk_live_abc is none', '[key] is none.'],
  ['Unknown key parameters in the body', 'Unknown key parameters in the body.'],
  ['Bearer authentication is wanted', 'Bearer authentication is wanted.'],
]

test.each(rows)('%s', (said, told) => {
  const error = new APIError(400, { message: said }, undefined, undefined)
  expect(modelFailure(error, { provider: 'odd', model: 'm', redact: (text) => text })).toMatchObject({
    message: `odd, model m: 400 ${told}`,
  })
})
