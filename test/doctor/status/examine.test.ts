import { describe, expect, test } from 'vitest'
import { failed, warning } from '../../../src/doctor/check.ts'
import { findingsOf } from '../../../src/doctor/status/examine.ts'
import { linesOf } from '../../../src/doctor/status/lines.ts'
import { NOTHING_AT_WORK } from '../../../src/doctor/status/status.ts'
import { CALM, WHOLE } from '../../support/cli/status.ts'

const subjects = [...new Set(linesOf(CALM).map(({ check }) => check))]

describe('a subject is told of once', () => {
  test.each(subjects.flatMap((check) => [warning(check, 'is wrong', 'Mend it.'), failed(check, 'is wrong', 'Mend it.')]))(
    '$check: $status takes the place of what counts',
    (fault) => {
      const findings = findingsOf({ ...CALM, well: false, whole: { ...WHOLE, stands: [fault] } })
      expect(findings.filter(({ check }) => check === fault.check)).toEqual([fault])
      expect(findings.map(({ check }) => check)).toEqual([...subjects.filter((check) => check !== fault.check), fault.check])
    },
  )
  test('such as a duty that is not done', () => {
    const fault = failed('duties', 'checkpoint fails in night', 'Mend it.')
    const duties = [{ duty: 'checkpoint', processes: 1, succeededAt: null, fault: 'failing' as const }]
    const findings = findingsOf({ ...CALM, well: false, whole: { ...WHOLE, duties, stands: [fault] } })
    expect(findings.filter(({ check }) => check === 'duties')).toEqual([fault])
  })
})

test('with nothing wrong each line is there, and so it is before the first start', () => {
  for (const stands of [[], [NOTHING_AT_WORK]])
    expect(findingsOf({ ...CALM, whole: { ...WHOLE, stands } })).toEqual([
      ...linesOf(CALM),
      expect.objectContaining({ check: 'standing', status: 'ok' }),
    ])
})
