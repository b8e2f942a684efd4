import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { query } from '../../src/store/postgres/db.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { command } from '../support/cli/command.ts'
import { JOB } from '../support/cli/operators.ts'

const runbook = readFileSync(join(import.meta.dirname, '../../docs/runbooks.md'), 'utf8')

/** The command lines of the section of a runbook. */
const commandsOf = (section: string): string[][] => {
  const [, text = ''] = runbook.split(`\n## ${section}\n`)
  const lines = text.split('\n## ')[0]?.matchAll(/^ *npx nightshift (\S.*?)(?: +#.*)?$/gm) ?? []
  return [...lines].map(([, words = '']) => words.split(' '))
}

test('the runbook of a full queue finds and ends the runs of one caller, also those that a pause holds, and no others', async () => {
  await using testApp = await buildTestApp({ jobs: { act: JOB, other: JOB } })
  const { db } = testApp.app
  const at = (...words: string[]) => command(['-c', testApp.world.configFile, ...words])
  for (const job of ['act', 'act', 'other']) await testApp.queue(job)
  await query(db, "update runs set requested_by = 'token:reports' where job = 'act'")
  await at('pause', 'act', '-r', 'moved')
  const [groups = [], ofCaller = [], cancelCaller = [], cancelJob = [], ...rest] = commandsOf('The queue')
  expect(rest).toEqual([])
  expect((await at(...groups)).out).toMatch(/2 +act[^]*1 +other/)
  expect((await at(...ofCaller)).out.match(/ act /g)).toHaveLength(2)
  for (const words of [cancelCaller, cancelJob.map((word) => (word === 'JOB' ? 'act' : word))])
    expect(await at(...words)).toMatchObject({ code: 0, out: '2 runs would be cancelled.', err: expect.stringMatching(/2 +act/) })
  const forReal = cancelCaller.map((word) => (word === '--dry-run' ? '--yes' : word))
  expect(await at(...forReal)).toMatchObject({ code: 0, out: '2 runs are cancelled; workers end those that run.' })
  expect(await query(db, 'select job, status from runs order by job, id')).toMatchObject([
    { job: 'act', status: 'cancelled' },
    { job: 'act', status: 'cancelled' },
    { job: 'other', status: 'queued' },
  ])
})
