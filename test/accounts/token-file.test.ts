import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { requireFreeFile, writeToken } from '../../src/accounts/token-file.ts'

const home = mkdtempSync(join(tmpdir(), 'nightshift-token-file-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(home, 'one-'))
})

const modeOf = (file: string) => statSync(file).mode & 0o777

test('a new token file is for its owner alone, and nothing else is left beside it', () => {
  const file = join(dir, 'reports.jwt')
  writeToken(file, 'a.b.c')
  expect({ text: readFileSync(file, 'utf8'), mode: modeOf(file), files: readdirSync(dir) }).toEqual({
    text: 'a.b.c\n',
    mode: 0o600,
    files: ['reports.jwt'],
  })
})

test('a file that was there keeps its mode and gets the new token at once: no reader finds half of one', () => {
  const file = join(dir, 'reports.jwt')
  writeFileSync(file, 'old\n')
  chmodSync(file, 0o640)
  const before = statSync(file).ino
  writeToken(file, 'a.b.c')
  expect({ text: readFileSync(file, 'utf8'), mode: modeOf(file) }).toEqual({ text: 'a.b.c\n', mode: 0o640 })
  // Put in place by its name: another file, not the old one written over.
  expect(statSync(file).ino).not.toBe(before)
})

test('what cannot be put in place leaves no file with a token behind', () => {
  const file = join(dir, 'taken')
  rmSync(file, { force: true })
  const inside = join(file, 'reports.jwt')
  writeFileSync(file, 'not a directory')
  expect(() => writeToken(inside, 'a.b.c')).toThrow(/ENOTDIR/)
  expect(readdirSync(dir)).toEqual(['taken'])
})

test('a file with something in it is not free; an empty one and none are', () => {
  const file = join(dir, 'reports.jwt')
  expect(() => requireFreeFile(file, 'reports')).not.toThrow()
  writeFileSync(file, '')
  expect(() => requireFreeFile(file, 'reports')).not.toThrow()
  writeFileSync(file, 'a.b.c\n')
  expect(() => requireFreeFile(file, 'reports')).toThrow(
    expect.objectContaining({
      code: 'COMMAND_INVALID',
      message: `There is a token in ${file} already.`,
      cure: expect.stringContaining('nightshift account rotate reports'),
    }),
  )
})
