import { expect, test } from 'vitest'
import { serverLabel } from '../../../src/models/hosted/server-label.ts'

const NAMES = [
  'labor',
  'Labor',
  'LABOR',
  'hr-data',
  'hr_data',
  'hr.data',
  'HR-data',
  '1st',
  '_1st',
  's1st',
  '9',
  '-',
  'a'.repeat(63),
  'a'.repeat(64),
  'a'.repeat(65),
  'A'.repeat(64),
  'ä',
  'ü',
  'labor_12345678',
]

test('fits what providers take as a label', () => {
  for (const name of NAMES) expect(serverLabel(name)).toMatch(/^[a-zA-Z][a-zA-Z0-9_]{0,63}$/)
})

test('is another one for each name, whatever the case', () => {
  const labels = NAMES.map((name) => serverLabel(name).toLowerCase())
  expect(new Set(labels).size).toBe(NAMES.length)
})

test('is the name where the name will do', () => {
  for (const name of ['labor', 'hr_data', 'a1', 'a'.repeat(64)]) expect(serverLabel(name)).toBe(name)
})

test('stays the same from process to process', () => {
  expect(serverLabel('HR-data')).toBe('hr_data_9361d976')
  expect(serverLabel('1st')).toBe('s1st_e01ddf65')
})
