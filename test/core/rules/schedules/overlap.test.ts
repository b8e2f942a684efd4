import { expect, test } from 'vitest'
import { decideOverlap, MAX_OPEN } from '../../../../src/core/rules/schedules/overlap.ts'

const now = new Date('2026-03-02T12:00:00Z')

const run = { at: now, verdict: 'run', madeUp: false } as const
const madeUp = { at: now, verdict: 'run', madeUp: true } as const
const one = { newest: 'run_1', count: 1 }
const some = { newest: 'run_1', count: MAX_OPEN - 1 }
const many = { newest: 'run_1', count: MAX_OPEN }
const skip = { at: now, verdict: 'skip', reason: 'missed' } as const

test.each([
  { fire: run, open: undefined, overlap: 'skip', becomes: { verdict: 'run', afterRun: undefined } },
  { fire: run, open: undefined, overlap: 'queue', becomes: { verdict: 'run', afterRun: undefined } },
  { fire: run, open: one, overlap: 'skip', becomes: { verdict: 'skip', reason: 'run run_1 was not over (overlap: skip)' } },
  { fire: run, open: one, overlap: 'queue', becomes: { verdict: 'run', afterRun: 'run_1' } },
  { fire: madeUp, open: undefined, overlap: 'skip', becomes: { verdict: 'run', afterRun: undefined } },
  { fire: madeUp, open: one, overlap: 'skip', becomes: { verdict: 'run', afterRun: 'run_1' } },
  { fire: madeUp, open: one, overlap: 'queue', becomes: { verdict: 'run', afterRun: 'run_1' } },
  { fire: run, open: some, overlap: 'queue', becomes: { verdict: 'run', afterRun: 'run_1' } },
  {
    fire: run,
    open: many,
    overlap: 'queue',
    becomes: { verdict: 'skip', reason: '200 runs of the job or more were not over (overlap: queue)' },
  },
  {
    fire: madeUp,
    open: many,
    overlap: 'skip',
    becomes: { verdict: 'skip', reason: '200 runs of the job or more were not over (overlap: skip)' },
  },
  { fire: run, open: many, overlap: 'skip', becomes: { verdict: 'skip', reason: 'run run_1 was not over (overlap: skip)' } },
  { fire: skip, open: undefined, overlap: 'queue', becomes: { verdict: 'skip', reason: 'missed' } },
  { fire: skip, open: one, overlap: 'queue', becomes: { verdict: 'skip', reason: 'missed' } },
] as const)(
  'a fire that may $fire.verdict, with open run $open and overlap: $overlap, becomes $becomes.verdict',
  ({ fire, open, overlap, becomes }) => {
    expect(decideOverlap(fire, open, overlap)).toEqual(becomes)
  },
)
