import { expect, test } from 'vitest'
import { decideOverlap } from '../../../../src/core/rules/schedules/overlap.ts'

const now = new Date('2026-03-02T12:00:00Z')

const run = { at: now, verdict: 'run', madeUp: false } as const
const madeUp = { at: now, verdict: 'run', madeUp: true } as const
const skip = { at: now, verdict: 'skip', reason: 'missed' } as const

test.each([
  { fire: run, open: undefined, overlap: 'skip', becomes: { verdict: 'run', afterRun: undefined } },
  { fire: run, open: undefined, overlap: 'queue', becomes: { verdict: 'run', afterRun: undefined } },
  { fire: run, open: 'run_1', overlap: 'skip', becomes: { verdict: 'skip', reason: 'run run_1 was not over (overlap: skip)' } },
  { fire: run, open: 'run_1', overlap: 'queue', becomes: { verdict: 'run', afterRun: 'run_1' } },
  { fire: madeUp, open: undefined, overlap: 'skip', becomes: { verdict: 'run', afterRun: undefined } },
  { fire: madeUp, open: 'run_1', overlap: 'skip', becomes: { verdict: 'run', afterRun: 'run_1' } },
  { fire: madeUp, open: 'run_1', overlap: 'queue', becomes: { verdict: 'run', afterRun: 'run_1' } },
  { fire: skip, open: undefined, overlap: 'queue', becomes: { verdict: 'skip', reason: 'missed' } },
  { fire: skip, open: 'run_1', overlap: 'queue', becomes: { verdict: 'skip', reason: 'missed' } },
] as const)(
  'a fire that may $fire.verdict, with open run $open and overlap: $overlap, becomes $becomes.verdict',
  ({ fire, open, overlap, becomes }) => {
    expect(decideOverlap(fire, open, overlap)).toEqual(becomes)
  },
)
