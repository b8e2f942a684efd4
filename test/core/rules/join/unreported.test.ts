import { describe, expect, test } from 'vitest'
import { asDecided, unreportedReason, withUnreported } from '../../../../src/core/rules/join/unreported.ts'

const OTHER = { code: 'NO_TOOL_RESULT' as const, message: 'No tool gave a result.' }
const found = { lines: 3, calls: 2 }
const told = unreportedReason(found)

test.each([
  [{ lines: 1, calls: 0 }, 'Pomerium’s log has 1 request of this run, 0 of them calls of tools, that its provider did not report.'],
  [found, 'Pomerium’s log has 3 requests of this run, 2 of them calls of tools, that its provider did not report.'],
])('%o is a reason with both figures', (unreported, message) => {
  expect(unreportedReason(unreported)).toEqual({ code: 'CALL_UNREPORTED', message })
})

describe('an end with unreported lines', () => {
  test.each([
    ['green is not green any more', 'succeeded', [], 'incomplete', [told]],
    ['failed stays failed', 'failed', [OTHER], 'failed', [OTHER, told]],
    ['cancelled stays cancelled', 'cancelled', [], 'cancelled', [told]],
    [
      'what was told before is told once, as it is now',
      'incomplete',
      [unreportedReason({ lines: 1, calls: 1 }), OTHER],
      'incomplete',
      [OTHER, told],
    ],
  ] as const)('%s', (_, status, reasons, after, all) => {
    expect(withUnreported({ status, reasons }, found)).toEqual({ status: after, reasons: all })
  })

  test('without any it stays as it was decided', () => {
    expect(withUnreported({ status: 'succeeded', reasons: [told] }, { lines: 0, calls: 0 })).toEqual({
      status: 'succeeded',
      reasons: [told],
    })
  })
})

describe('the end of a row as it was decided', () => {
  const decided = (status: string, reasons: object[], codes: string) => ({ status, reasons: JSON.stringify(reasons), codes })
  const row = (now: ReturnType<typeof decided>, before?: object | string) => ({
    id: 'run_1',
    ...now,
    ended_as: before === undefined ? null : typeof before === 'string' ? before : JSON.stringify(before),
  })
  const green = decided('succeeded', [], '{}')
  const refused = decided('failed', [OTHER], '{NO_TOOL_RESULT}')

  test.each([
    ['green, and incomplete since', decided('incomplete', [told], '{CALL_UNREPORTED}'), green],
    ['green, and explained since', decided('succeeded', [], '{}'), green],
    ['failed, with a reason more', decided('failed', [OTHER, told], '{NO_TOOL_RESULT,CALL_UNREPORTED}'), refused],
    ['incomplete by other such lines', decided('incomplete', [told], '{CALL_UNREPORTED}'), decided('incomplete', [unreportedReason({ lines: 9, calls: 9 })], '{CALL_UNREPORTED}')], // prettier-ignore
  ])('%s: what was decided', (_, now, before) => {
    expect(asDecided(row(now, before))).toEqual({ ...row(now, before), ...before })
  })

  test.each([
    ['never ended otherwise', green, undefined],
    ['no JSON', green, 'so'],
    ['a field more', green, { ...green, by: 'x' }],
    ['a field less', green, { status: 'succeeded', reasons: '[]' }],
    ['reasons that are none', green, { ...green, reasons: '{}' }],
    ['a reason without a code', green, { ...green, reasons: '[{"message":"x"}]' }],
    ['reasons now that are none', { ...green, reasons: 'null' }, green],
    ['another reason was put in', decided('failed', [OTHER], '{NO_TOOL_RESULT}'), { ...refused, reasons: '[]' }],
    ['told twice', decided('incomplete', [told, told], '{CALL_UNREPORTED}'), green],
    ['another code was put in', decided('incomplete', [told], '{CALL_UNREPORTED,NO_TOOL_RESULT}'), green],
    ['green in spite of them', decided('succeeded', [told], '{CALL_UNREPORTED}'), green],
    ['failed, which they do not make of it', decided('failed', [told], '{CALL_UNREPORTED}'), green],
    ['green of one that failed', decided('succeeded', [OTHER], '{NO_TOOL_RESULT}'), refused],
    ['incomplete of one that failed', decided('incomplete', [OTHER, told], '{NO_TOOL_RESULT,CALL_UNREPORTED}'), refused],
  ])('%s: the row as it stands', (_, now, before) => {
    expect(asDecided(row(now, before))).toEqual(row(now, before))
  })
})
