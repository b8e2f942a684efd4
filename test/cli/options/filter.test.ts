import { Command } from 'commander'
import { expect, test } from 'vitest'
import { addFilter, describeFilter, filterOf, filterOptions } from '../../../src/cli/options/filter.ts'
import type { RunFilter } from '../../../src/runs/queries.ts'

function filterFrom(...args: string[]): RunFilter {
  const command = addFilter(new Command('runs'))
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
  command.parse(args, { from: 'user' })
  return filterOf(filterOptions.parse(command.opts()))
}

test('several statuses are named with commas between, and notGreen stands for all that are over without success', () => {
  expect(filterFrom('--status', 'failed').status).toEqual(['failed'])
  expect(filterFrom('--status', 'failed, waiting').status).toEqual(['failed', 'waiting'])
  expect(filterFrom('--status', 'notGreen').status).toEqual(['incomplete', 'failed', 'cancelled'])
  expect(filterFrom('--status', 'notGreen,failed').status).toEqual(['incomplete', 'failed', 'cancelled'])
  for (const wrong of ['done', 'failed,done', '', ',', 'NOTGREEN'])
    expect(() => filterFrom('--status', wrong)).toThrow(/There are queued, running/)
})

test('a tool is named with its server', () => {
  expect(filterFrom('--tool', 'labor.query').tool).toBe('labor.query')
  expect(filterFrom('--tool', 'labor.deep.query').tool).toBe('labor.deep.query')
  for (const wrong of ['labor', '.query', 'labor.']) expect(() => filterFrom('--tool', wrong)).toThrow(/server\.tool/)
})

test('what a filter means is said in full, with its times in UTC and nothing that a terminal acts on', () => {
  expect(
    describeFilter(
      filterFrom(
        '--job',
        'report\u001b[31m',
        '--status',
        'notGreen',
        '--code',
        'DEADLINE',
        '--by',
        'ann',
        '--since',
        '2026-11-24',
        '--tool',
        'labor.query',
      ),
    ),
  ).toBe(
    'runs of report\\u001b[31m, that are incomplete or failed or cancelled, with DEADLINE, asked for by ann, that called labor.query, created since 2026-11-24T00:00:00Z',
  )
})
