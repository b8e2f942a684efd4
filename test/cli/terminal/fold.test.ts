import { expect, test } from 'vitest'
import { fold, PIPE_COLUMNS } from '../../../src/cli/terminal/terminal.ts'

test('a line goes on further in where it is wider than the screen', () => {
  expect(fold('report.yaml:5: prompt is empty; write what the model is to do', { columns: 40 })).toBe(
    'report.yaml:5: prompt is empty;\n    write what the model is to do',
  )
})

test('each line is broken by itself, and keeps how far in it begins', () => {
  expect(fold('Faults:\n  a.yaml:1: is empty; write it\nEnd', { columns: 24 }, 4)).toBe('Faults:\n  a.yaml:1: is\n    empty; write it\nEnd')
})

test('what goes into a pipe keeps its lines, and what fits is as it was', () => {
  const line = 'word '.repeat(100)
  expect(fold(line, { columns: PIPE_COLUMNS })).toBe(line)
  expect(fold('12345', { columns: 5 })).toBe('12345')
})
