import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { exportRun } from '../../../src/audit/evidence/files.ts'
import { createSigningKey, readPublicKey } from '../../../src/audit/evidence/keys.ts'
import { keyIdOf } from '../../../src/lib/hash/public-key.ts'
import { loadRun } from '../../../src/store/runs/show.ts'
import { countingJob } from '../../support/app/jobs.ts'
import { buildTestApp } from '../../support/app/test-app.ts'
import { countingRoute, startCountingServer } from '../../support/mcp/counting-server.ts'

/** The commands of the page, as they stand there. */
const COMMANDS = [...readFileSync('docs/verify-evidence.md', 'utf8').matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) =>
  block.trim().split('\n'),
)

let dir: string
let bundle: string

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'nightshift-outside-'))
  await using server = await startCountingServer()
  await using testApp = await buildTestApp({
    routes: [countingRoute(server)],
    jobs: { work: countingJob() },
    scripts: { scripted: 'call counting__act {"n": 1.5}\nsay Grüße, $1 \\u2713' },
  })
  const { id } = await testApp.run('work')
  const run = await loadRun(testApp.app.db, id)
  if (!run) throw new Error('the run is gone')
  createSigningKey(join(dir, 'evidence.key'))
  createSigningKey(join(dir, 'other.key'))
  bundle = await exportRun(testApp.app.db, run, join(dir, 'evidence.key'))
})

afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** What each command ends with, in a directory that holds the bundle and the key alone. */
function walk(text: string, key = 'evidence.key.pub'): { codes: (number | null)[]; out: string } {
  const place = mkdtempSync(join(dir, 'walk-'))
  copyFileSync(join(dir, key), join(place, 'evidence.key.pub'))
  writeFileSync(join(place, 'run.json'), text)
  const ran = COMMANDS.map((line) => spawnSync('bash', ['-c', line], { cwd: place, encoding: 'utf8', timeout: 60_000 }))
  return { codes: ran.map(({ status }) => status), out: ran.map(({ stdout }) => stdout).join('') }
}

test('the page’s commands, run as they stand there, find a genuine bundle genuine', () => {
  expect(COMMANDS.length).toBeGreaterThan(8)
  const { codes, out } = walk(bundle)
  expect(codes).toEqual(COMMANDS.map(() => 0))
  expect(out).toContain(keyIdOf(readPublicKey(join(dir, 'evidence.key.pub'))))
})

test.each([
  ['a word of the prompt', (text: string) => text.replace('"kind":"turn"', '"kind":"Turn"')],
  ['a number', (text: string) => text.replace(/"durationMs":[\d.]+/, '"durationMs":1')],
  ['the head', (text: string) => text.replace(/"exportedAt":"2/, '"exportedAt":"1')],
  ['the signature', (text: string) => text.replace(/"signature":"(.)/, (_, first) => `"signature":"${first === 'A' ? 'B' : 'A'}`)],
  [
    'an entry that is left out',
    (text: string) => {
      const { entries, ...about } = z.looseObject({ entries: z.array(z.unknown()) }).parse(JSON.parse(text))
      return JSON.stringify({ ...about, entries: entries.slice(0, -1) })
    },
  ],
])('they find a bundle that was changed: %s', (_, change) => {
  expect(change(bundle)).not.toBe(bundle)
  expect(walk(change(bundle)).codes.some((code) => code !== 0)).toBe(true)
})

test('they find one that another key signed', () => {
  expect(walk(bundle, 'other.key.pub').codes.filter((code) => code !== 0)).not.toHaveLength(0)
})
