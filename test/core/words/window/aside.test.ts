import { expect, test } from 'vitest'
import { fullText, noNotes, stubText, SUMMARY_ASK, summaryReply } from '../../../../src/core/words/window/aside.ts'

const reader = 'nightshift__read_result'
const one = { id: 't3c1', tool: 'shop__look', bytes: 20_480 }

test('words in the place of what was put aside', () => {
  expect([
    stubText({ ...one, reader }),
    stubText({ ...one, reader: undefined }),
    SUMMARY_ASK,
    summaryReply(reader),
    summaryReply(undefined),
    noNotes([one, { id: 't3c2', tool: 'shop__act' }], 0),
    noNotes([one], 12),
  ]).toEqual([
    '[Nightshift: result t3c1 of shop__look, 20 KB, is put aside; nightshift__read_result reads it again.]',
    '[Nightshift: result t3c1 of shop__look, 20 KB, is put aside.]',
    '[Nightshift: the conversation has become too long to go on as it is. Answer with notes for yourself, and call no tool: what was asked, what you did, what you found with its exact values and the ids of results (such as t3c1) they are from, and what is still to be done. Your notes replace everything above but the prompt.]',
    '[Nightshift: these are your notes on the work so far; what they replace is put aside, and nightshift__read_result reads each result again by its id. Go on from here.]',
    '[Nightshift: these are your notes on the work so far; what they replace is put aside. Go on from here.]',
    '(No notes were written. Results so far: t3c1 of shop__look, t3c2 of shop__act.)',
    '(No notes were written. Results so far: t3c1 of shop__look, and 12 before them.)',
  ])
})

test('why a conversation does not fit is told in figures', () => {
  const parts = [
    { what: 'what was said and read', bytes: 90_000 },
    { what: 'the prompt', bytes: 400 },
  ]
  expect([fullText({ tokens: 41_000, window: 32_000, parts }), fullText({ tokens: 41_000, window: undefined, parts })]).toEqual([
    'About 41000 tokens are to be read, and the model reads 32000, its answer included: what was said and read 88 KB, the prompt 400 bytes.',
    'About 41000 tokens are to be read, more than the model reads: what was said and read 88 KB, the prompt 400 bytes.',
  ])
})
