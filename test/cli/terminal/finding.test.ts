import pc from 'picocolors'
import { expect, test } from 'vitest'
import { showFinding } from '../../../src/cli/terminal/finding.ts'
import { failed, listed } from '../../../src/doctor/check.ts'

const show = (message: string) =>
  showFinding(failed('jobs', message, 'Correct what is named.'), { colors: pc.createColors(false), columns: 80 }).split('\n')

test('each of several faults has a line, and one fault stands behind its check', () => {
  expect(show(listed(['a.yaml:1: one', 'b.yaml:2: two\u001b[2J']))).toEqual([
    '✗ jobs: 2 faults:',
    '    a.yaml:1: one',
    expect.stringMatching(/^ {4}b\.yaml:2: two(?!.*\u001b)/),
    '    Correct what is named.',
  ])
  expect(show(listed(['a.yaml:1: one']))).toEqual(['✗ jobs: a.yaml:1: one', '    Correct what is named.'])
  expect(show('The configuration has 2 faults:\n  c.yaml:1: one\n  c.yaml:2: two\n')).toEqual([
    '✗ jobs: The configuration has 2 faults:',
    '    c.yaml:1: one',
    '    c.yaml:2: two',
    '    Correct what is named.',
  ])
})
