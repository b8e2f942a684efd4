import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { query } from '../../../../src/store/postgres/db.ts'
import { buildTestApp } from '../../../support/app/test-app.ts'
import { command } from '../../../support/cli/command.ts'
import { at, JOB, json, statusOf, withFailures } from '../../../support/cli/operators.ts'
import { openScreen } from '../../../support/cli/screen.ts'

describe('cancel', () => {
  test('ends queued runs at once, and leaves all as they are when one of those named is not there', async () => {
    await using testApp = await buildTestApp({ jobs: { act: JOB } })
    const ids = [await testApp.write('act'), await testApp.write('act')]
    expect(await command(at(testApp, 'cancel', ...ids, 'run_nothing'))).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/^RUN_UNKNOWN /),
    })
    expect(await Promise.all(ids.map((id) => statusOf(testApp, id)))).toEqual(['queued', 'queued'])
    expect(await json(testApp, 'cancel', ...ids)).toEqual(ids.map((id) => ({ id, status: 'cancelled', mayGoOnUntil: null })))
  })

  test('says of a run that was over what it was', async () => {
    await using made = await withFailures()
    const { testApp, green } = made
    expect(await command(at(testApp, 'cancel', green))).toEqual({ code: 0, out: `${green} was over already: succeeded.`, err: '' })
  })

  test('by filter says what it understood and which runs that means, then asks; runs that are over are left', async () => {
    await using made = await withFailures()
    const { testApp, failed, green } = made
    await testApp.app.worker.stop()
    const queued = [await testApp.write('act'), await testApp.write('act')]
    const cancel = (answer: string) =>
      openScreen(at(testApp, 'cancel', '--job', 'act', '--since', '6h'), {
        answer: (question) => (question.includes('Cancel 2 runs?') ? answer : ''),
      })
    const no = cancel('n')
    expect([await no.ended, no.out()]).toEqual([0, ''])
    expect(no.err()).toMatch(
      /^--since is 20\d\d-\S+Z\.\nMeant are runs of act, created since 20\d\d-\S+Z\.\nruns +job +status +code\n +2 +act +queued$/,
    )
    expect(await Promise.all(queued.map((id) => statusOf(testApp, id)))).toEqual(['queued', 'queued'])
    const yes = cancel('y')
    expect([await yes.ended, yes.out()]).toEqual([0, '2 runs are cancelled; workers end those that run.'])
    expect(await Promise.all([...queued, ...failed, green].map((id) => statusOf(testApp, id)))).toEqual([
      'cancelled', 'cancelled', 'failed', 'failed', 'succeeded',
    ]) // prettier-ignore
  })

  test('works through more than a page of runs', async () => {
    await using testApp = await buildTestApp({ jobs: { act: JOB } })
    const id = await testApp.write('act')
    await query(
      testApp.app.db,
      `insert into runs (id, job, job_version, status, account, trigger, input)
       select 'run_copy' || n, job, job_version, status, account, trigger, input from runs, generate_series(1, 600) n where id = $1`,
      [id],
    )
    expect(await json(testApp, 'cancel', '--job', 'act', '--dry-run')).toMatchObject({
      count: 601,
      dryRun: true,
      groups: [{ job: 'act', status: 'queued', code: null, runs: 601 }],
    })
    expect(await json(testApp, 'cancel', '--job', 'act', '--yes')).toMatchObject({ count: 601, dryRun: false })
    expect(await query(testApp.app.db, 'select status, count(*)::int as n from runs group by 1')).toEqual([{ status: 'cancelled', n: 601 }])
  })

  test.for([
    ['an empty filter', ['cancel', '--yes'], /The filter is empty/],
    ['names beside a filter', ['cancel', 'run_1', '--job', 'act'], /goes without names/],
    ['a filter with nobody to ask', ['cancel', '--job', 'act'], /There is nobody to ask\. Add --yes\./],
  ] as const)('refuses %s, and cancels nothing', async ([, args, message]) => {
    await using testApp = await buildTestApp({ jobs: { act: JOB } })
    const id = await testApp.write('act')
    const { code, out, err } = await command(at(testApp, ...args))
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(message)
    expect(await statusOf(testApp, id)).toBe('queued')
  })
})

test('named runs are counted with --dry-run and left as they are', async () => {
  await using testApp = await buildTestApp({ jobs: { act: JOB } })
  const id = await testApp.write('act')
  expect(await command(at(testApp, 'cancel', 'latest', '--dry-run'))).toEqual({
    code: 0,
    out: '1 run would be cancelled.',
    err: 'Meant are runs 1 named.\nruns  job  status  code\n   1  act  queued',
  })
  expect(await statusOf(testApp, id)).toBe('queued')
})

test('a run is named by its id, its beginning or its end, or as the latest; what could be several is refused with them', async () => {
  await using testApp = await buildTestApp({ jobs: { act: JOB } })
  const first = 'run_01a21c65-2c73-70ee-86c2-0c8efbde047a'
  const second = 'run_01a21c67-93ec-7133-99d2-0ccad9f4700d'
  for (const id of [first, second]) await query(testApp.app.db, 'update runs set id = $1 where id = $2', [id, await testApp.write('act')])
  const idOf = async (name: string) => z.object({ id: z.string() }).parse(await json(testApp, 'show', name)).id
  for (const name of [first, 'run_01a21c65', '01a21c65', 'run_01a21c65…', '…fbde047a', 'fbde047a']) expect(await idOf(name)).toBe(first)
  expect(await idOf('latest')).toBe(second)
  expect(await command(at(testApp, 'show', 'run_01a2'))).toMatchObject({
    code: 2,
    out: '',
    err: `COMMAND_INVALID Several runs have an id like run_01a2: ${second}, ${first}. Write more of it.`,
  })
  // Neither a wildcard of SQL nor less than four characters of an id.
  for (const name of ['run_%', '%', '_', '047', 'run_', ''])
    expect(await command(at(testApp, 'show', name))).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/^RUN_UNKNOWN /) })
})

test('drain --wait ends once no run is under way any more', async () => {
  await using testApp = await buildTestApp({ jobs: { act: JOB } })
  const id = await testApp.write('act')
  await query(testApp.app.db, "update runs set status = 'running', heartbeat_at = now() where id = $1", [id])
  const screen = openScreen(at(testApp, 'drain', '--reason', 'upgrade', '--wait'))
  await screen.says('Everything is paused; 1 under way. Waiting …')
  expect(screen.out()).toBe('')
  await query(testApp.app.db, "update runs set status = 'succeeded', finished_at = now() where id = $1", [id])
  expect([await screen.ended, screen.out()]).toEqual([0, 'Everything is paused, and no run is under way.'])
})
