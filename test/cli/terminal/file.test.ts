import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { requireWritable, writeNamed } from '../../../src/cli/terminal/file.ts'

const home = mkdtempSync(join(tmpdir(), 'nightshift-file-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const refusal = (file: string) =>
  expect.objectContaining({
    code: 'COMMAND_INVALID',
    message: expect.stringContaining(`The file ${file} cannot be written: `),
    cure: expect.stringContaining('directory'),
  })

test('a file that is named is written with the mode that is asked for', () => {
  const file = join(home, 'run.json')
  requireWritable(file)
  // Asking makes nothing.
  expect(existsSync(file)).toBe(false)
  writeNamed(file, 'text', 0o600)
  expect({ text: readFileSync(file, 'utf8'), mode: statSync(file).mode & 0o777 }).toEqual({ text: 'text', mode: 0o600 })
  requireWritable(file)
})

test.each([
  ['in a directory that is not there', () => join(home, 'nowhere', 'run.json')],
  ['that is a directory', () => home],
])('a place %s is refused before the work and at its end, with the name of the file', (_, place) => {
  const file = place()
  expect(() => requireWritable(file)).toThrow(refusal(file))
  expect(() => writeNamed(file, 'text', 0o600)).toThrow(refusal(file))
})

test('what stands in the way of a file is left as it is', () => {
  const taken = join(home, 'taken')
  writeFileSync(taken, 'mine')
  expect(() => writeNamed(join(taken, 'run.json'), 'text', 0o600)).toThrow(refusal(join(taken, 'run.json')))
  expect(readFileSync(taken, 'utf8')).toBe('mine')
})

test.skipIf(process.getuid?.() !== 0)('a file of another user is refused to whoever cannot set its mode', () => {
  const file = join(home, 'theirs.json')
  writeFileSync(file, 'theirs')
  chmodSync(file, 0o666)
  const seteuid = (id: number) => process.seteuid?.(id)
  chmodSync(home, 0o755)
  seteuid(65_534)
  try {
    expect(() => requireWritable(file)).toThrow(expect.objectContaining({ message: expect.stringContaining('it belongs to another user') }))
  } finally {
    seteuid(0)
  }
})
