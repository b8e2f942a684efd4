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
  const load = createJobLoader(dir, () => offer)
  const { jobs } = load()
  expect([...jobs.keys()]).toEqual(['one', 'other'])
  offer = { ...OFFER, accounts: [] }
  expect(load()).toMatchObject({ jobs: new Map(), issues: [expect.stringContaining('one.yaml:'), expect.stringContaining('other.yaml:')] })
  offer = { ...OFFER }
  writeFileSync(join(dir, 'other.yaml'), `${GOOD}description: It has changed.\n`)
  const again = load().jobs
  // The same object: its file was looked at, and not read.
  expect(again.get('one')).toBe(jobs.get('one'))
  expect(again.get('other')?.version).not.toBe(jobs.get('other')?.version)
})
