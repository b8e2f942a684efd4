import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { query } from '../../../../src/store/postgres/db.ts'
import { WORK, WORK_SCRIPT } from '../../../support/app/jobs.ts'
import { buildTestApp } from '../../../support/app/test-app.ts'
import { program } from '../../../support/cli/command.ts'

/** What may stand under the name of the file, while somebody replaces it or by mistake, and what is said of it. */
const PUT: [put: (file: string) => void, reason: string][] = [
  [(file) => mkdirSync(file), 'EISDIR'],
  [(file) => symlinkSync(`${file}.nowhere`, file), 'There is no configuration file'],
  [(file) => execFileSync('mkfifo', [file]), 'it is a pipe'],
  [(file) => writeFileSync(file, 'accounts:\n  rep'), 'accounts must be a mapping'],
  [(file) => writeFileSync(file, ''), 'is empty'],
]

test('start whose configuration file is replaced by what is none says so, and stays at work until it is put back', async () => {
  await using testApp = await buildTestApp({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT }, config: { log: { level: 'info' } } })
  const file = testApp.world.configFile
  const aside = `${file}.aside`
  const started = program(['-c', file, 'start', '--only', 'worker'])
  await using stack = new AsyncDisposableStack()
  stack.defer(() => void started.child.kill('SIGKILL'))
  await started.says('Nightshift is at work.')
  renameSync(file, aside)
  for (const [put, reason] of PUT) {
    put(file)
    started.child.kill('SIGHUP')
    await started.says(reason)
    rmSync(file, { recursive: true })
  }
  renameSync(aside, file)
  started.child.kill('SIGHUP')
  await started.says('The configuration has no fault any more.')
  const id = await testApp.queue('work')
  await expect.poll(() => query(testApp.app.db, 'select status from runs where id = $1', [id])).toEqual([{ status: 'succeeded' }])
  started.child.kill('SIGTERM')
  expect((await started.ended).code).toBe(0)
})
