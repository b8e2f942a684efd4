import { expect, test } from 'vitest'
import { whoami } from '../../../../src/cli/options/whoami.ts'
import { hold } from '../../../../src/store/runs/holds.ts'
import { buildTestApp } from '../../../support/app/test-app.ts'
import { command } from '../../../support/cli/command.ts'
import { at, JOB, json } from '../../../support/cli/operators.ts'

test('a run that is held is found, and says who paused it, since when, why, and how that is lifted', async () => {
  await using testApp = await buildTestApp({ jobs: { act: JOB, other: JOB } })
  const { db } = testApp.app
  expect(await command(at(testApp, 'runs', '--held'))).toMatchObject({ code: 0, out: 'There are no runs that a pause or a limit holds.' })
  const [paused, limited, free] = [await testApp.write('act'), await testApp.write('other'), await testApp.write('other')]
  await hold(db, limited, { by: 'account reports', obstacle: null })
  await command(at(testApp, 'pause', 'act', '--reason', 'the data move'))
  const shown = async (id: string) => (await command(at(testApp, 'show', id))).out
  const who = `since act is paused by ${whoami()} since \\d{4}-\\S+ \\d\\d:\\d\\d UTC: the data move\\. Lift it with: nightshift resume act`
  // No worker has met it yet.
  expect(await shown(paused)).toMatch(new RegExp(`^waits +${who}$`, 'm'))
  expect(await json(testApp, 'runs', '--held')).toMatchObject([{ id: limited }, { id: paused }])
  await hold(db, paused, { by: 'pause act', obstacle: 'paused' })
  expect(await shown(paused)).toMatch(new RegExp(`^waits +${who}$`, 'm'))
  expect(await shown(limited)).toMatch(/^waits +for a free slot: the limit of account reports has none$/m)
  expect(await shown(free)).not.toMatch(/^waits/m)
  await command(at(testApp, 'drain', '--reason', 'an upgrade'))
  expect(await json(testApp, 'runs', '--held')).toHaveLength(3)
  expect(await shown(paused)).toMatch(/^waits +since everything is paused .*: an upgrade\. Lift it with: nightshift resume --all$/m)
  for (const all of [['act'], ['--all']]) await command(at(testApp, 'resume', ...all))
  expect(await shown(paused)).not.toMatch(/^waits/m)
  await hold(db, paused, { by: 'pause act', obstacle: null })
  expect(await shown(paused)).toMatch(/^waits +for a worker: its pause was lifted$/m)
})
