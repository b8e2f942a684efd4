import pc from 'picocolors'
import { describe, expect, test } from 'vitest'
import type { StoreVerdict } from '../../../../src/audit/evidence/verify/verdict.ts'
import { showStore } from '../../../../src/cli/commands/audit/store-verdict.ts'

const NONE = { runs: 0, overdue: 0, oldest: null, newest: null }
const NOTHING: StoreVerdict = {
  checkpoints: 0, runs: 0, intact: 0, pruned: 0, unsigned: 0, uncovered: NONE, lines: 0, linesGone: 0, records: 0, gaps: [], faults: [],
} // prettier-ignore
const OLD = { id: 'run_1', finishedAt: '2026-11-20T03:00:00.123Z' }
const NEW = { id: 'run_2', finishedAt: '2026-11-27T22:10:00.000Z' }
const uncovered = (runs: number, overdue = 0, oldest: StoreVerdict['uncovered']['oldest'] = OLD) => ({
  unsigned: overdue,
  uncovered: { runs, overdue, oldest, newest: runs === 1 ? oldest : NEW },
})

/** The lines by their labels, those of a label together. */
function say(verdict: Partial<StoreVerdict>): Record<string, string> {
  const said: Record<string, string> = {}
  for (const line of showStore({ ...NOTHING, ...verdict }, { colors: pc.createColors(false), columns: 1000 }).split('\n')) {
    const [, label = '', text = ''] = /^(\S+) +(.*)$/.exec(line) ?? []
    said[label] = said[label] === undefined ? text : `${said[label]} | ${text}`
  }
  return said
}

const NOW =
  'The next checkpoint takes what ended five minutes before it: a scheduler takes one each day, nightshift evidence checkpoint takes one now.'
const MISSED = 'ended two days ago or more, so that none was taken meanwhile: see the duty checkpoint in nightshift doctor, and take one now with nightshift evidence checkpoint. Nothing proves what they were until then.' // prettier-ignore

describe('what verify --store says', () => {
  test.each<[what: string, verdict: Partial<StoreVerdict>, says: Record<string, string>]>([
    ['nothing is there', {}, {
      store: 'no checkpoints', runs: 'none signed', log: 'no line signed', rows: 'none of acts, alarms, fires, suspects and removals',
      verdict: 'nothing is proved: no checkpoint was taken yet; take one with nightshift evidence checkpoint',
    }],
    ['one of each', { checkpoints: 1, runs: 1, intact: 1, lines: 1, records: 1 }, {
      store: '1 checkpoint', runs: '1 signed: 1 intact', log: '1 line signed', rows: '1 of acts, alarms, fires, suspects and removals',
      verdict: 'every run that a checkpoint has is as it was when that was taken',
    }],
    ['many of each', { checkpoints: 3, runs: 12, intact: 10, pruned: 1, lines: 120, linesGone: 3, records: 5, faults: ['run_9: its status was changed'] }, {
      store: '3 checkpoints', runs: '12 signed: 10 intact, 1 removed by retention, 1 with a fault', log: '120 lines signed; the 3 oldest are gone',
      rows: '5 of acts, alarms, fires, suspects and removals', fault: 'run_9: its status was changed',
    }],
    ['checkpoints of no run', { checkpoints: 2 }, { store: '2 checkpoints', runs: 'none signed' }],
    ['all runs were removed', { checkpoints: 1, runs: 2, pruned: 2 }, { runs: '2 signed: 2 removed by retention' }],
    ['one line is gone', { checkpoints: 1, lines: 1, linesGone: 1 }, { log: '1 line signed; the oldest is gone' }],
    ['a gap that was accepted', { checkpoints: 1, gaps: ['checkpoint 4 goes on after a gap'] }, { gap: 'checkpoint 4 goes on after a gap' }],
    ['one run is not covered yet', { checkpoints: 1, ...uncovered(1) }, {
      uncovered: `one run that ended is in no checkpoint: run_1, which ended at 2026-11-20 03:00:00 UTC | ${NOW}`,
    }],
    ['several are not covered yet', { checkpoints: 1, ...uncovered(7) }, {
      uncovered: `7 runs that ended are in no checkpoint: the oldest is run_1, which ended at 2026-11-20 03:00:00 UTC, the newest run_2, which ended at 2026-11-27 22:10:00 UTC | ${NOW}`,
    }],
    ['one was passed by', { checkpoints: 1, ...uncovered(1, 1) }, {
      uncovered: `one run that ended is in no checkpoint: run_1, which ended at 2026-11-20 03:00:00 UTC | It ${MISSED}`,
    }],
    ['some were passed by', { checkpoints: 1, ...uncovered(7, 2) }, { uncovered: expect.stringContaining(` | 2 ${MISSED}`) }],
    ['all were passed by', { checkpoints: 1, ...uncovered(7, 7) }, { uncovered: expect.stringContaining(` | All of them ${MISSED}`) }],
    ['one that does not say when it ended', { checkpoints: 1, ...uncovered(1, 1, { id: 'run_1', finishedAt: null }) }, {
      uncovered: `one run that ended is in no checkpoint: run_1, which ended at a time that is not known | It ${MISSED}`,
    }],
  ])('%s', (_, verdict, says) => {
    const said = say(verdict)
    expect(said).toMatchObject(says)
    expect(Object.values(said).join('\n')).not.toMatch(/undefined|null|NaN|, ?[;.:]|[;:] *$|\b0 |\b1 (?:lines|runs|checkpoints)\b| {2}/m)
    expect('uncovered' in said).toBe((verdict.uncovered?.runs ?? 0) > 0)
  })
}) // prettier-ignore
