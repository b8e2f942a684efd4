import { expect, test } from 'vitest'
import pc from 'picocolors'
import { runsTable } from '../../../../src/cli/commands/runs/table.ts'
import { FAILURES, type FailureCode } from '../../../../src/core/failure-codes.ts'
import type { RunLine } from '../../../../src/runs/queries.ts'

const NOW = new Date('2026-11-28T03:10:00Z')

const aLine = (extra: Partial<RunLine> = {}): RunLine => ({
  id: 'run_019a2b3c-0000-7000-8000-00000efbde04',
  job: 'labor-report-monthly',
  status: 'failed',
  trigger: { kind: 'api' },
  requestedBy: 'token:orders',
  tags: {},
  reasons: [],
  failure: null,
  attempts: 1,
  costUsd: null,
  costAtLeast: false,
  heldBy: null,
  createdAt: '2026-11-28T03:00:00.000Z',
  startedAt: null,
  finishedAt: null,
  ending: null,
  ...extra,
})
const failedWith = (code: FailureCode): Partial<RunLine> => ({ failure: { code, message: 'It failed.', retry: 'never' } })
const fire = (fireAt: string): Partial<RunLine> => ({ trigger: { kind: 'schedule', fireAt }, requestedBy: null })
const show = (columns: number, ...runs: RunLine[]) => runsTable(runs, { colors: pc.createColors(false), columns }, NOW)

const CODES = Object.keys(FAILURES).filter((code): code is FailureCode => code in FAILURES)

test('in 80 columns a run has its short id, its code or what holds it whole, its age and the time of its fire', () => {
  expect(
    show(
      80,
      aLine({ ...failedWith('GATEWAY_UNREACHABLE'), ...fire('2026-11-28T03:00:00.000Z') }),
      aLine({
        status: 'incomplete',
        reasons: [
          { code: 'MODEL_INCOMPLETE', message: '' },
          { code: 'NO_TOOL_RESULT', message: '' },
        ],
        ending: { kind: 'incomplete', because: 'missing_data' },
        ...fire('2026-11-27T03:00:00.000Z'),
      }),
      aLine({ status: 'queued', heldBy: 'account reports', createdAt: '2026-11-27T03:00:00.000Z' }),
      aLine({ status: 'queued', heldBy: 'job labor-report-monthly' }),
      aLine({ status: 'queued', heldBy: 'pause labor-report-monthly' }),
      aLine({ status: 'queued', heldBy: 'pause *' }),
      aLine({ status: 'succeeded', ending: { kind: 'nothing-new' }, ...fire('2025-11-27T03:00:00.000Z') }),
    ),
  ).toMatchInlineSnapshot(`
    "run        job         status      why                      age     fire
    …0efbde04  labor-rep…  failed      GATEWAY_UNREACHABLE      10 min  03:00Z
    …0efbde04  labor-rep…  incomplete  MODEL_INCOMPLETE +1      10 min  11-27 03:00Z
    …0efbde04  labor-rep…  queued      held by account reports  24 h
    …0efbde04  labor-rep…  queued      held by the job’s limit  10 min
    …0efbde04  labor-rep…  queued      held by a pause          10 min
    …0efbde04  labor-rep…  queued      held by drain            10 min
    …0efbde04  labor-rep…  succeeded   nothing new              10 min  2025-11-27"
  `)
})

test.each(CODES)('%s fits whole in 80 columns, beside others and a fire of another day', (code) => {
  const table = show(
    80,
    aLine({
      status: 'incomplete',
      ...failedWith(code),
      reasons: [{ code: 'NO_TOOL_RESULT', message: '' }],
      ...fire('2026-11-27T03:00:00Z'),
    }),
  )
  expect(table).toContain(code)
  expect(table).toContain('11-27 03:00Z')
  expect(table.split('\n').filter((line) => line.length > 80)).toEqual([])
})

test('what holds a run is whole where it is longer than the screen, and each run has lines of its own then', () => {
  const account = 'a-service-account-for-the-reports-of-the-whole-house'
  const table = show(80, aLine({ status: 'queued', heldBy: `account ${account}` }))
  expect(table).toContain(`held by account ${account}`)
  expect(table).toContain('job     labor-report-monthly\n')
})

test.each([139, 120, 110, 100, 90, 80, 60, 40])('at %i columns no line is longer, and codes are whole', (columns) => {
  const ended = { startedAt: '2026-11-28T03:00:00.000Z', finishedAt: '2026-11-28T03:00:12.000Z' }
  const table = show(columns, aLine({ ...failedWith('GATEWAY_UNREACHABLE'), ...ended }), aLine(fire('2026-11-27T03:00:00.000Z')))
  expect(table).toContain('GATEWAY_UNREACHABLE')
  expect(table.split('\n').filter((line) => line.length > columns)).toEqual([])
  // Who asked and how long it took stand wherever there is the room for them.
  if (columns >= 110 || columns <= 40) for (const text of ['token:orders', '12.0 s', '11-27 03:00Z']) expect(table).toContain(text)
})

test('a wide terminal shows whole ids, who asked and the day of a fire', () => {
  expect(show(200, aLine(failedWith('DEADLINE')), aLine(fire('2026-11-27T03:00:00.000Z')))).toMatchInlineSnapshot(`
    "run                                       job                   status  why       by                      age     took
    run_019a2b3c-0000-7000-8000-00000efbde04  labor-report-monthly  failed  DEADLINE  token:orders            10 min
    run_019a2b3c-0000-7000-8000-00000efbde04  labor-report-monthly  failed            fire 2026-11-27T03:00Z  10 min"
  `)
})
