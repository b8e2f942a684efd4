// A cure belongs to the code of its failure, and what promises a retry is said only where a retry follows: by the state of the run, and by no cure.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { describeRun } from '../../src/api/schemas/runs.ts'
import { showRun } from '../../src/cli/commands/runs/show.ts'
import { textOf } from '../../src/cli/commands/runs/logs.ts'
import { asUsedUp, describeFailure, Failure, messageOf, type FailureRecord } from '../../src/core/failure.ts'
import { FAILURES, type FailureCode, type FailureKind } from '../../src/core/failure-codes.ts'
import { decideRetry } from '../../src/core/rules/retry.ts'
import { reasonOf } from '../../src/core/run.ts'
import { timelineOf } from '../../src/core/timeline.ts'
import type { RunView } from '../../src/core/view.ts'
import { reportEvent } from '../../src/delivery/destinations/report.ts'
import { anAttemptView, aRunView } from '../support/app/run-view.ts'
import { aTerminal } from '../support/cli/terminal.ts'

/** Words that promise that something is done again without a person. */
const PROMISE =
  /\b(?:tr(?:ies|ied) (?:it )?again|retried|by (?:itself|themselves)|automatically|another worker (?:goes|may|takes)|goes on)\b/i

const CODES = Object.keys(FAILURES).filter((code): code is FailureCode => code in FAILURES)
const AT = '2026-11-24T07:05:00.000Z'

/** What a run is after an attempt failed with this, in each way in which it can go on or end. */
function statesOf(code: FailureCode): { state: string; run: Partial<RunView>; isRetried: boolean }[] {
  const failure = new Failure({ code, message: 'It was so.' })
  const record = failure.toJSON()
  const attempt = (shown: FailureRecord, status = 'failed') => anAttemptView({ number: 1, status, failure: shown, finishedAt: AT })
  const over = (shown: FailureRecord): Partial<RunView> => ({
    status: 'failed',
    failure: shown,
    reasons: [reasonOf(shown)],
    attempts: [attempt(shown)],
    finishedAt: AT,
  })
  const open = { finishedAt: null, reasons: [] }
  const { verdict } = decideRetry(failure, 1, { attempts: 3, backoffMs: 1000 }, 0)
  const cancelled = new Failure({ code: 'CANCELLED', message: 'Somebody said so.' }).toJSON()
  return [
    { state: 'failed for good', run: over(verdict === 'stop' ? record : asUsedUp(record, 3, 'run_1')), isRetried: false },
    {
      state: 'an attempt before the cancel',
      run: { ...over(cancelled), status: 'cancelled', attempts: [attempt(record)] },
      isRetried: false,
    },
    {
      state: 'a reason of an answer',
      run: { ...over(record), status: 'incomplete', failure: null, attempts: [attempt(record, 'incomplete')] },
      isRetried: false,
    },
    ...(verdict === 'retry'
      ? [
          {
            state: 'tried again',
            run: { ...open, status: 'queued' as const, failure: record, attempts: [attempt(record)], nextAttemptAt: AT },
            isRetried: true,
          },
        ]
      : []),
    ...(verdict === 'wait'
      ? [
          {
            state: 'waits',
            run: {
              ...open,
              status: 'waiting' as const,
              failure: record,
              attempts: [attempt(record, 'waiting')],
              waitsFor: { kind: 'connection' as const, server: 'hr', account: 'reports' },
            },
            isRetried: true,
          },
        ]
      : []),
  ]
}

/** What of it is shown, place by place. */
function placesOf(run: RunView): Record<string, string> {
  return {
    show: showRun(run, [], aTerminal()),
    timeline: timelineOf(run).map(textOf).join('\n'),
    api: JSON.stringify(describeRun(run)),
    report: JSON.stringify(reportEvent(run, 'delivery-1')),
    log: JSON.stringify(run.failure && describeFailure(run.failure)),
  }
}

describe.each(CODES)('%s', (code) => {
  test('its own words promise nothing', () => {
    const { cure }: FailureKind = FAILURES[code]
    expect(cure).not.toMatch(PROMISE)
  })

  test.each(statesOf(code))('$state: a retry is promised only where one follows, with its time', ({ run, isRetried }) => {
    const places = placesOf(aRunView(run))
    for (const [place, shown] of Object.entries(places)) if (!isRetried || place !== 'show') expect(shown, place).not.toMatch(PROMISE)
    if (!isRetried) return
    expect(places['show']).toMatch(PROMISE)
    if (run.status === 'queued')
      expect(places['show']).toMatch(/waits {6}until 2026-11-24 07:05:00 UTC(?:, in \d+ \w+)?, then it is tried again/)
  })

  test('a failure that tells of it carries nothing of its cure', () => {
    const told = new Failure({
      code: 'OUTCOME_UNKNOWN',
      message: `${messageOf(new Failure({ code, message: 'It was so.' }))}. It may have run.`,
    })
    const shown = describeFailure(told)
    expect(shown).toBe(`It was so. It may have run. ${FAILURES.OUTCOME_UNKNOWN.cure}`)
  })
})

/** Cures that stand in the source beside a failure. */
function curesIn(dir: string): { file: string; cure: string }[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) =>
      [...readFileSync(join(dir, file), 'utf8').matchAll(/\bcure: (?<cure>['`][^\n]+)/g)].map(({ groups }) => ({
        file,
        cure: groups?.['cure'] ?? '',
      })),
    )
}

test('no cure in the source promises a retry', () => {
  const cures = curesIn('src')
  expect(cures.length).toBeGreaterThan(50)
  expect(cures.filter(({ cure }) => PROMISE.test(cure) && !cure.includes('nothing is tried again'))).toEqual([])
})

test('the words for a retry are found', () => {
  for (const words of [
    'Retried automatically.',
    'Nothing: the run tries again.',
    'The run then goes on by itself.',
    'Another worker goes on from here.',
  ])
    expect(words).toMatch(PROMISE)
  for (const words of ['nightshift retry run_1', 'then retry the run', 'Raise the limit.']) expect(words).not.toMatch(PROMISE)
})
