import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readSecret } from '../../src/config/secrets.ts'

const dir = mkdtempSync(join(tmpdir(), 'nightshift-secret-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let count = 0
function file(text: string): string {
  const path = join(dir, `secret-${count++}`)
  writeFileSync(path, text)
  return path
}

describe('a secret', () => {
  test.each([
    ['given as text', 'sk-1', undefined, 'sk-1'],
    ['in a file', undefined, 'sk-1', 'sk-1'],
    ['in a file with a newline', undefined, 'sk-1\n', 'sk-1'],
    ['in a file with Windows newlines', undefined, 'sk-1\r\n\r\n', 'sk-1'],
    ['in a file with spaces, which are part of it', undefined, ' sk 1 \n', ' sk 1 '],
    ['not given', undefined, undefined, undefined],
    ['given as an empty text', '', undefined, undefined],
  ])('%s', (_, value, text, secret) => {
    expect(readSecret('providers.openai', value, text === undefined ? undefined : file(text))).toBe(secret)
  })

  test.each(['', '\n', '\r\n\n'])('in a file with only %j is a fault', (text) => {
    const path = file(text)
    expect(() => readSecret('providers.openai', undefined, path)).toThrow(
      expect.objectContaining({
        message: `providers.openai: the file ${path} cannot be used: it is empty.`,
        cure: 'Correct the file or variable named.',
      }),
    )
  })

  test('in a pipe that nobody writes into is a fault, and is not waited for', () => {
    const path = join(dir, 'pipe')
    execFileSync('mkfifo', [path])
    expect(() => readSecret('providers.openai', undefined, path)).toThrow(/cannot be used: it is empty/)
  })

  test('in a file that is not there is a fault that names the file', () => {
    expect(() => readSecret('providers.openai', undefined, '/nowhere/key')).toThrow(
      expect.objectContaining({
        message: "providers.openai: the file /nowhere/key cannot be used: ENOENT: no such file or directory, open '/nowhere/key'.",
        cure: 'Correct the file or variable named.',
      }),
    )
  })
})
