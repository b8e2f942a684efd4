import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createJobLoader } from '../../src/jobs/directory.ts'
import { createJobFiles, GOOD, OFFER } from '../support/app/job-files.ts'

const { freshDir } = createJobFiles()

test('under another offer what did not change is held against it, and is not read again', () => {
  const dir = freshDir()
  for (const name of ['one', 'other']) writeFileSync(join(dir, `${name}.yaml`), GOOD)
  let offer = OFFER
  const loader = createJobLoader(dir, () => offer)
  const { jobs } = loader.load()
  expect([...jobs.keys()]).toEqual(['one', 'other'])
  offer = { ...OFFER, accounts: [] }
  expect(loader.load()).toMatchObject({
    jobs: new Map(),
    issues: [expect.stringContaining('one.yaml:'), expect.stringContaining('other.yaml:')],
  })
  offer = { ...OFFER }
  writeFileSync(join(dir, 'other.yaml'), `${GOOD}description: It has changed.\n`)
  const again = loader.load().jobs
  // The same object: its file was looked at, and not read.
  expect(again.get('one')).toBe(jobs.get('one'))
  expect(again.get('other')?.version).not.toBe(jobs.get('other')?.version)
})

test('while many files are read ahead the event loop turns after each, and what did not change since is not read again', async () => {
  const dir = freshDir()
  const loader = createJobLoader(dir, () => OFFER)
  loader.load()
  const names = Array.from({ length: 30 }, (_, n) => `job-${n}`)
  for (const name of names) writeFileSync(join(dir, `${name}.yaml`), GOOD)
  let turns = 0
  let timer = setImmediate(function beat() {
    turns++
    timer = setImmediate(beat)
  })
  await loader.readAhead(new AbortController().signal)
  expect(turns).toBeGreaterThanOrEqual(names.length - 1)
  const read = turns
  await loader.readAhead(new AbortController().signal)
  expect(turns - read).toBeLessThan(3)
  clearImmediate(timer)
  expect(loader.load().jobs.size).toBe(names.length)
})
