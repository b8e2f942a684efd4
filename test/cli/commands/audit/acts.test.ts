import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { whoami } from '../../../../src/cli/options/whoami.ts'
import { actSchema } from '../../../../src/api/schemas/acts.ts'
import { buildTestApp } from '../../../support/app/test-app.ts'
import { command } from '../../../support/cli/command.ts'
import { at, JOB, json } from '../../../support/cli/operators.ts'

test('what was done at the command line is listed with who, from where and why, and stands in the timeline of each run', async () => {
  await using testApp = await buildTestApp({ jobs: { act: JOB, other: JOB } })
  expect(await command(at(testApp, 'acts'))).toMatchObject({ code: 0, out: 'Nobody did anything to runs or jobs yet.' })
  const [first, second] = [await testApp.write('act'), await testApp.write('act')]
  const bad = 'a\u001b[31m red\nline'
  await command(at(testApp, 'cancel', '--job', 'act', '--yes', '--reason', bad))
  await command(at(testApp, 'retry', first, '--definition', 'pinned', '--reason', 'it was the wrong job'))
  await command(at(testApp, 'pause', 'act', '--reason', 'closed'))
  await command(at(testApp, 'resume', 'act'))
  await command(at(testApp, 'drain', '--reason', 'an upgrade'))
  await command(at(testApp, 'resume', '--all', '--reason', 'it is done'))
  const acts = z.array(actSchema).parse(await json(testApp, 'acts'))
  expect(acts.toReversed().map(({ act, jobs, runs, reason, detail }) => [act, jobs.join(), runs, reason, detail])).toEqual([
    ['cancel', 'act', 2, bad, { filter: { job: 'act' } }],
    ['retry', 'act', 1, 'it was the wrong job', { filter: {}, definition: 'pinned' }],
    ['pause', 'act', 0, 'closed', {}],
    ['resume', 'act', 0, null, {}],
    ['pause', '*', 0, 'an upgrade', {}],
    ['resume', '*', 0, 'it is done', {}],
  ])
  for (const act of acts) expect(act).toMatchObject({ by: whoami(), role: null, via: 'cli', origin: hostname(), requestId: null })
  const { out } = await command(at(testApp, 'acts', '--limit', '6'))
  expect(out.split('\n')).toHaveLength(7)
  expect(out).not.toContain('\u001b[31m red')
  expect(await json(testApp, 'acts', '--run', first.slice(-8), '--by', whoami())).toMatchObject([{ act: 'retry' }, { act: 'cancel' }])
  expect(await json(testApp, 'acts', '--run', second)).toMatchObject([{ act: 'cancel' }])
  expect(await json(testApp, 'acts', '--job', 'act')).toHaveLength(6)
  expect(await json(testApp, 'acts', '--job', 'other')).toMatchObject([{ jobs: ['*'] }, { jobs: ['*'] }])
  expect(await json(testApp, 'acts', '--since', '1h', '--by', whoami())).toHaveLength(6)
  for (const [args, said] of [
    [['--until', '2026-01-01'], 'Nobody did anything to runs or jobs before 2026-01-01T00:00:00Z.'],
    [
      ['--by', whoami(), '--since', '2026-01-01', '--until', '2026-01-02'],
      `${whoami()} did nothing to runs or jobs since 2026-01-01T00:00:00Z before 2026-01-02T00:00:00Z.`,
    ],
    [['--run', second, '--until', '2026-01-02'], `Nobody did anything to ${second} before 2026-01-02T00:00:00Z.`],
    [['--job', 'act', '--until', '2026-01-02'], 'Nobody did anything to the job act or its runs before 2026-01-02T00:00:00Z.'],
  ] as const)
    expect(await command(at(testApp, 'acts', ...args))).toMatchObject({ code: 0, out: said })

  const { out: told } = await command(at(testApp, 'logs', first))
  const inWords = told
    .split('\n')
    .map((line) => line.replace(/^\s*\d\d:\d\d:\d\dZ\s+/, '').replace(` by ${whoami()} (cli, ${hostname()})`, ''))
  expect(inWords).toEqual([
    'queued',
    expect.stringMatching(/^cancelled: a.* line$/),
    'cancelled: CANCELLED',
    'retried: it was the wrong job',
  ])
  expect((await command(at(testApp, 'show', second))).out).toContain(`cancelled by ${whoami()}`)
})
