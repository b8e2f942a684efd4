import { firstWake } from '../../src/core/ports/wake.ts'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { query } from '../../src/store/postgres/db.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { at, JOB, json, SCHEDULED, statusOf, withFailures } from '../support/cli/operators.ts'
import { command } from '../support/cli/command.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { openScreen } from '../support/cli/screen.ts'

describe('retry', () => {
  test('by id queues the run again, and every earlier attempt stays readable', async () => {
    await using made = await withFailures()
    const {
      testApp,
      failed: [id = ''],
    } = made
    await testApp.app.worker.stop()
    expect(await command(at(testApp, 'retry', id))).toEqual({ code: 0, out: '1 run is queued again.', err: '' })
    expect(await statusOf(testApp, id)).toBe('queued')
    const run = await loadRun(testApp.app.db, id)
    expect(run?.attempts).toMatchObject([{ number: 1, status: 'failed', failure: { code: 'MODEL_REJECTED' } }])
  })

  test('by filter shows the count and asks; no leaves them, yes queues them', async () => {
    await using made = await withFailures()
    const { testApp, failed } = made
    await testApp.app.worker.stop()
    const asked: string[] = []
    const retry = (answer: string) =>
      openScreen(at(testApp, 'retry', '--status', 'failed', '--code', 'MODEL_REJECTED', '--since', '6h'), {
        answer(question) {
          asked.push(question)
          return answer
        },
      })
    const no = retry('n')
    expect([await no.ended, no.out()]).toEqual([0, ''])
    expect(await Promise.all(failed.map((id) => statusOf(testApp, id)))).toEqual(['failed', 'failed'])
    const yes = retry('y')
    expect([await yes.ended, yes.out()]).toEqual([0, '2 runs are queued again.'])
    expect(await Promise.all(failed.map((id) => statusOf(testApp, id)))).toEqual(['queued', 'queued'])
    expect(asked).toEqual(['Queue 2 runs again? [y/N] ', 'Queue 2 runs again? [y/N] '])
  })

  test('in a script it needs --yes, counts with --dry-run, and never takes a green run', async () => {
    await using made = await withFailures()
    const { testApp, failed, green } = made
    await testApp.app.worker.stop()
    expect(await command(at(testApp, 'retry', '--job', 'act'))).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/There is nobody to ask\. Add --yes\./),
    })
    expect(await json(testApp, 'retry', '--job', 'act', '--dry-run')).toMatchObject({
      count: 1,
      dryRun: true,
      groups: [{ job: 'act', status: 'failed', runs: 1 }],
    })
    expect(await json(testApp, 'retry', '--job', 'act', '--yes')).toMatchObject({ count: 1, dryRun: false })
    expect(await Promise.all([...failed, green].map((id) => statusOf(testApp, id)))).toEqual(['queued', 'failed', 'succeeded'])
  })

  test.for([
    ['an empty filter', ['retry', '--yes'], /The filter is empty/],
    ['a run that there is not', ['retry', 'run_nothing'], /^RUN_UNKNOWN /],
    ['a definition that is none', ['retry', '--status', 'failed', '--definition', 'old'], /latest, pinned/],
    ['a code that is none', ['retry', '--code', 'NOPE', '--yes'], /failure code/],
    ['names beside a filter', ['retry', 'run_1', '--job', 'act'], /a filter goes without names/],
    ['other input of a dry run', ['retry', 'latest', '--input', 'n=1', '--dry-run'], /cannot be used with/],
    ['other input without a run', ['retry', '--status', 'failed', '--input', 'n=1'], /--input goes with one run/],
  ] as const)('refuses %s', async ([, args, message]) => {
    await using testApp = await buildTestApp({ jobs: { act: JOB } })
    const { code, out, err } = await command(at(testApp, ...args))
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(message)
  })

  test('of a green run is refused', async () => {
    await using made = await withFailures()
    const { testApp, green } = made
    expect(await command(at(testApp, 'retry', green))).toMatchObject({ code: 2, err: expect.stringMatching(/^RUN_NOT_RETRYABLE /) })
  })

  test('takes the job as it is now, or with --definition pinned as it was', async () => {
    await using made = await withFailures()
    const {
      testApp,
      failed: [first = '', second = ''],
    } = made
    await testApp.app.worker.stop()
    const before = await query<{ id: string; job_version: string }>(testApp.app.db, 'select id, job_version from runs order by id')
    for (const job of ['act', 'other']) writeFileSync(join(testApp.dir, 'jobs', `${job}.yaml`), JOB.replace('Do it', 'Do it well'))
    await command(at(testApp, 'retry', first, '--definition', 'pinned'))
    await command(at(testApp, 'retry', second))
    const after = new Map(
      (await query<{ id: string; job_version: string }>(testApp.app.db, 'select id, job_version from runs')).map((row) => [
        row.id,
        row.job_version,
      ]),
    )
    const versionBefore = (id: string) => before.find((row) => row.id === id)?.job_version
    expect([after.get(first) === versionBefore(first), after.get(second) === versionBefore(second)]).toEqual([true, false])
  })

  test('with other input makes a new run that names the old one', async () => {
    await using made = await withFailures()
    const {
      testApp,
      failed: [id = ''],
    } = made
    await testApp.app.worker.stop()
    const retried = z.object({ id: z.string(), retryOf: z.string() }).parse(await json(testApp, 'retry', id, '--input', 'n=5'))
    expect(retried.retryOf).toBe(id)
    expect(await loadRun(testApp.app.db, retried.id)).toMatchObject({ status: 'queued', input: { n: 5 }, retryOf: id })
    expect(await statusOf(testApp, id)).toBe('failed')
  })
})

test('pause holds the runs of a job with its reason, drain those of all, and resume lets them go on', async () => {
  await using testApp = await buildTestApp({ jobs: { act: SCHEDULED }, scripts: { scripted: 'say done' } })
  expect(await command(at(testApp, 'pause', 'act', '--reason', 'the data move'))).toMatchObject({
    code: 0,
    out: expect.stringContaining('nightshift resume act'),
  })
  expect(await json(testApp, 'schedules')).toMatchObject([{ job: 'act', paused: { reason: 'the data move' } }])
  const id = await testApp.queue('act')
  expect((await command(at(testApp, 'run', 'act'))).err.split('\n')).toEqual([
    expect.stringMatching(/^It does not start yet: act is paused by /),
    'It does not start yet: no worker is at work. Start one with: nightshift start',
  ])
  await testApp.app.worker.start()
  const presence = testApp.app.createPresence('all')
  await presence.start()
  await presence.round()
  expect(await command(at(testApp, 'drain', '--reason', 'upgrade'))).toMatchObject({ code: 0, err: '' })
  expect(await command(at(testApp, 'run', 'act', '--json'))).toMatchObject({
    code: 0,
    err: expect.stringMatching(
      /^It does not start yet: everything is paused by \S+ since \S+ \S+ UTC: upgrade\. Lift it with: nightshift resume --all\nIt does not start yet: act is paused by \S+ since \S+ \S+ UTC: the data move\. Lift it with: nightshift resume act$/,
    ),
  })
  expect(await command(at(testApp, 'pause', 'act', '--reason', 'the data move on'))).toMatchObject({
    code: 0,
    err: expect.stringMatching(/^This takes the place of an earlier pause: act is paused by \S+ since \S+ \S+ UTC: the data move\.$/),
  })
  expect(await command(at(testApp, 'resume', 'act'))).toMatchObject({
    code: 0,
    out: 'act goes on.',
    err: expect.stringMatching(/^Still: everything is paused by \S+ since \S+ \S+ UTC: upgrade\. Lift it with: nightshift resume --all$/),
  })
  expect(await command(at(testApp, 'resume', 'act'))).toMatchObject({ code: 0, out: 'act was not paused.' })
  expect(await statusOf(testApp, id)).toBe('queued')
  expect(await command(at(testApp, 'resume', '--all'))).toMatchObject({ code: 0, out: 'Everything goes on.' })
  await testApp.app.producer.wake([firstWake(id)])
  expect(await testApp.ended(id)).toMatchObject({ status: 'succeeded' })
  for (const args of [
    ['resume'],
    ['resume', 'act', '--all'],
    ['pause', 'act'],
    ['pause', 'act', '--reason', ' '],
    ['pause', 'nothing', '--reason', 'x'],
  ])
    expect(await command(at(testApp, ...args))).toMatchObject({ code: 2, out: '' })
})

test('schedules are listed, and a backfill shows its count, then makes each missing fire once', async () => {
  await using testApp = await buildTestApp({ jobs: { act: SCHEDULED, other: JOB } })
  const span = ['--from', '2026-11-01T00:00:00Z', '--to', '2026-11-04T00:00:00Z']
  const backfill = (...args: string[]) => json(testApp, 'schedules', 'backfill', 'act', ...span, ...args)
  const fires = ['2026-11-01T07:00:00.000Z', '2026-11-02T07:00:00.000Z', '2026-11-03T07:00:00.000Z']
  expect(await json(testApp, 'schedules')).toMatchObject([{ job: 'act', cron: '0 7 * * *', timezone: 'UTC', paused: null }])
  expect(await backfill('--dry-run')).toEqual({ fires, dryRun: true })
  expect(await command(at(testApp, 'schedules', 'backfill', 'act', ...span))).toMatchObject({
    code: 2,
    err: expect.stringContaining('3 fires of act without a run'),
  })
  expect(await backfill('--yes')).toMatchObject({ runs: [expect.any(String), expect.any(String), expect.any(String)], dryRun: false })
  expect(await backfill('--yes')).toEqual({ fires: [], dryRun: false })
  expect(await command(at(testApp, 'schedules', 'backfill', 'other', ...span, '--yes'))).toMatchObject({
    code: 2,
    err: expect.stringContaining('has no schedule'),
  })
})

test('logs tell the progress of a run, a JSON value a line, and follow it to its end', async () => {
  await using testApp = await buildTestApp({
    jobs: { act: JOB },
    scripts: { scripted: 'call labor__query {"sql": "select 1 as one"}\nsay done' },
  })
  const id = await testApp.write('act')
  const screen = openScreen(at(testApp, 'logs', id, '--follow', '--json'))
  await screen.says('"queued"')
  await testApp.app.worker.start()
  await testApp.app.producer.wake([firstWake(id)])
  expect(await screen.ended).toBe(0)
  const events = screen
    .out()
    .split('\n')
    .map((line) => z.looseObject({ event: z.string(), run: z.string() }).parse(JSON.parse(line)))
  expect(events.map(({ event }) => event)).toEqual(['queued', 'attempt', 'turn', 'call', 'turn', 'attemptEnded', 'finished'])
  expect(new Set(events.map(({ run }) => run))).toEqual(new Set([id]))
  const people = await command(at(testApp, 'logs', id))
  expect(people).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/labor query: ok, \d+ ms\n[\s\S]*succeeded$/) })
  expect(await command(at(testApp, 'logs', 'run_nothing'))).toMatchObject({ code: 2, err: expect.stringMatching(/^RUN_UNKNOWN /) })
})

describe('prune', () => {
  const CONFIG = { retention: { content: { succeeded: '1d' }, metadata: { succeeded: '10d', failed: '365d' }, log: '400d' } }

  test('counts with --dry-run, then takes content first and whole runs later, and leaves what is not named', async () => {
    await using testApp = await buildTestApp({
      jobs: { act: JOB },
      scripts: { scripted: 'call labor__query {"sql": "select \'canary-content\' as c"}\nsay canary-answer' },
      config: CONFIG,
    })
    const [young, old, ancient] = [await testApp.run('act', { n: 4711 }), await testApp.run('act'), await testApp.run('act')]
    const ended = (id: string, age: string) =>
      query(testApp.app.db, 'update runs set finished_at = now() - $2::interval where id = $1', [id, age])
    await ended(old.id, '2 days')
    await ended(ancient.id, '11 days')
    await query(
      testApp.app.db,
      `insert into authorize_events (line_digest, occurrence, request_id, time, method, host, path, ip, user_id, allowed, reasons, params, run_id) values
         ('d', 1, 'r', now(), 'POST', 'h', '/', 'i', 'u', true, '{}', 'canary-content', $1), ('e', 1, 's', now() - interval '401 days', 'POST', 'h', '/', 'i', 'u', true, '{}', null, null)`,
      [old.id],
    )
    await query(testApp.app.db, "update gateway_requests set sent_at = now() - interval '401 days' where run_id is null or run_id = $1", [
      old.id,
    ])
    expect(await json(testApp, 'prune', '--dry-run')).toEqual({ content: 2, metadata: 1, log: 1, fires: 0, dryRun: true })
    expect(await loadRun(testApp.app.db, ancient.id)).toBeDefined()
    expect(await json(testApp, 'prune')).toMatchObject({ metadata: 1, log: 1, dryRun: false })
    expect(await loadRun(testApp.app.db, ancient.id)).toBeUndefined()
    const pruned = await loadRun(testApp.app.db, old.id)
    expect(pruned).toMatchObject({ status: 'succeeded', toolCalls: [{ server: 'labor', tool: 'query', status: 'ok' }] })
    const rows = await query<{ row: string }>(
      testApp.app.db,
      `select t::text as row from turns t where run_id = $1 union all select t::text from tool_calls t where run_id = $1
       union all select t::text from attempts t where run_id = $1 union all select t::text from runs t where id = $1 union all select t::text from authorize_events t where run_id = $1`,
      [old.id],
    )
    expect(rows.map(({ row }) => row).join('\n')).not.toMatch(/canary/)
    expect(JSON.stringify(await loadRun(testApp.app.db, young.id))).toMatch(
      /canary-content[\s\S]*canary-answer|canary-answer[\s\S]*canary-content/,
    )
    expect(pruned?.gatewayRequests.length).toBeGreaterThan(0)
    expect(await json(testApp, 'prune')).toEqual({ content: 0, metadata: 0, log: 0, fires: 0, dryRun: false })
  })

  test('works through more than one batch', async () => {
    await using testApp = await buildTestApp({ jobs: { act: JOB }, scripts: { scripted: 'say done' }, config: CONFIG })
    const { id } = await testApp.run('act')
    await query(
      testApp.app.db,
      `insert into runs (id, job, job_version, status, trigger, input, account, finished_at)
       select 'run_' || n, job, job_version, 'succeeded', trigger, input, account, now() - interval '11 days' from runs, generate_series(1, 1100) n where id = $1`,
      [id],
    )
    expect(await command(at(testApp, 'prune', '--dry-run'))).toMatchObject({
      code: 0,
      out: '1100 runs would lose their content, 1100 would be removed; 0 lines of the log and 0 fires would be removed.',
    })
    expect(await json(testApp, 'prune')).toEqual({ content: 1100, metadata: 1100, log: 0, fires: 0, dryRun: false })
    expect(await json(testApp, 'runs')).toMatchObject([{ id }])
  })
})

test('api-token makes a token that the API knows by the line that goes with it', async () => {
  const { code, out, err } = await command(['api-token', 'orders', '--role', 'runner', '--jobs', 'act, other'])
  expect(code).toBe(0)
  expect(out).toMatch(/^nsk_[\w-]{43}$/)
  expect(err).not.toContain(out)
  const line = z.record(z.string(), z.unknown()).parse(parse(err.split('\n').at(-1)?.trim() ?? ''))
  expect(line).toEqual({ orders: { sha256: createHash('sha256').update(out).digest('hex'), role: 'runner', jobs: ['act', 'other'] } })
  await using testApp = await buildTestApp({ jobs: { act: JOB }, config: { api: { listen: '127.0.0.1:0', tokens: line } } })
  const http = testApp.app.createApiServer()
  await http?.start()
  const ask = (token: string) => fetch(`${http?.url()}/v1/jobs`, { headers: { authorization: `Bearer ${token}` } })
  expect([(await ask(out)).status, (await ask(`${out}x`)).status]).toEqual([200, 401])
  for (const args of [['x', '--role', 'king'], ['x'], ['x', '--role', 'runner', '--jobs', 'a,,b']])
    expect(await command(['api-token', ...args])).toMatchObject({ code: 2, out: '' })
})

test('runs are found by job, status, code, requester, time, tool and words', async () => {
  await using testApp = await buildTestApp({
    jobs: { act: JOB, other: JOB.replace('scripted', 'broken'), idle: JOB },
    scripts: { scripted: 'call labor__query {"sql": "select 1 as one"}\nsay the harvest was plentiful', broken: 'fail 400' },
  })
  const green = await testApp.run('act')
  const failed = await testApp.run('other')
  const found = async (...args: string[]) =>
    z
      .array(z.looseObject({ id: z.string() }))
      .parse(await json(testApp, 'runs', ...args))
      .map(({ id }) => id)
  expect(await found()).toEqual([failed.id, green.id])
  for (const [args, ids] of [
    [['--job', 'act'], [green.id]],
    [['--status', 'failed'], [failed.id]],
    [['--code', 'MODEL_REJECTED'], [failed.id]],
    [['--code', 'TOOL_DENIED'], []],
    [['--tool', 'labor.query'], [green.id]],
    [['--text', 'plentiful harvest'], [green.id]],
    [
      ['--since', '1h'],
      [failed.id, green.id],
    ],
    [['--until', '1h'], []],
    [['--limit', '1'], [failed.id]],
  ] as const)
    expect(await found(...args), args.join(' ')).toEqual(ids)
  expect(await found('--status', 'notGreen')).toEqual([failed.id])
  expect(await json(testApp, 'runs', '--group', 'code')).toEqual([
    { code: null, runs: 1 },
    { code: 'MODEL_REJECTED', runs: 1 },
  ])
  expect(await json(testApp, 'runs', '--group', 'status', '--job', 'other')).toEqual([{ status: 'failed', runs: 1 }])
  expect(await command(at(testApp, 'runs', '--group', 'code', '--status', 'notGreen'))).toEqual({
    code: 0,
    out: 'runs  code\n   1  MODEL_REJECTED',
    err: '',
  })
  expect(await command(at(testApp, 'runs', '--job', 'idle'))).toEqual({ code: 0, out: 'There are no runs of idle.', err: '' })
  expect(await command(at(testApp, 'runs', '--group', 'code', '--waiting'))).toMatchObject({ code: 2, out: '' })
  expect(await command(at(testApp, 'runs', '--waiting'))).toEqual({ code: 0, out: 'No run waits for a person.', err: '' })

  const tagged = z
    .object({ id: z.string(), tags: z.unknown() })
    .parse(await json(testApp, 'run', 'act', '--tag', 'team=billing', 'order=a = b'))
  expect(tagged.tags).toEqual({ team: 'billing', order: 'a = b' })
  expect(await found('--tag', 'team=billing')).toEqual([tagged.id])
  expect(await found('--tag', 'team=billing', 'order=a')).toEqual([])
  expect((await command(at(testApp, 'show', tagged.id))).out).toMatch(/tags +.*team=billing/)
  expect(await command(at(testApp, 'runs', '--tag', 'team=sales'))).toMatchObject({ out: 'There are no runs tagged team=sales.' })
  for (const tag of ['team', 'team=', '=billing', 'a b=c'])
    expect(await command(at(testApp, 'runs', '--tag', tag)), tag).toMatchObject({ code: 2, out: '' })
})
