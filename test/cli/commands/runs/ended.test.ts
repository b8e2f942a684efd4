import { expect, test } from 'vitest'
import { query } from '../../../../src/store/postgres/db.ts'
import { command } from '../../../support/cli/command.ts'
import { at, json, withFailures } from '../../../support/cli/operators.ts'

test('runs are meant by when they ended, whenever they were created, and what is understood says which of both', async () => {
  await using made = await withFailures()
  const {
    testApp,
    failed: [long = '', old = ''],
    green,
  } = made
  await testApp.app.worker.stop()
  await query(testApp.app.db, "update runs set created_at = now() - interval '2 days' where id = any($1)", [[long, old]])
  await query(testApp.app.db, "update runs set finished_at = now() - interval '1 day' where id = $1", [old])
  const found = async (...args: string[]) => json(testApp, 'runs', ...args)
  expect(await found('--since', '1h')).toMatchObject([{ id: green }])
  expect(await found('--ended-since', '1h')).toMatchObject([{ id: green }, { id: long }])
  expect(await found('--ended-until', '1h')).toMatchObject([{ id: old }])
  expect(await found('--ended-since', '1h', '--until', '1d')).toMatchObject([{ id: long }])
  expect(await found('--ended-since', '1h', '--group', 'status')).toEqual([
    { status: 'failed', runs: 1 },
    { status: 'succeeded', runs: 1 },
  ])
  const { code, out, err } = await command(at(testApp, 'retry', '--ended-since', '1h', '--dry-run'))
  expect({ code, out }).toEqual({ code: 0, out: '1 run would be queued again.' })
  expect(err).toMatch(/^--ended-since is 20\S+Z\.\nMeant are runs that ended since 20\S+Z\.\n/)
  expect(await json(testApp, 'retry', '--ended-until', '1h', '--yes')).toMatchObject({ count: 1, dryRun: false })
})
