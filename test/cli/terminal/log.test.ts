import pc from 'picocolors'
import { expect, test } from 'vitest'
import { createLog } from '../../../src/cli/terminal/log.ts'

const lines = (log: (to: ReturnType<typeof createLog>) => void, colored = false) => {
  const out: string[] = []
  log(createLog({ isTerminal: true, colors: pc.createColors(colored), out: (text) => void out.push(text) }, 'info'))
  return out.map((line) => line.replace(/^\S*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\S*/, 'TIME'))
}

test('on a terminal a line is for people: time with its zone, level, what happened, its fields, and its cure below', () => {
  expect(
    lines((log) => {
      log.info({ jobs: ['daily', 'weekly'], queue: 'postgres', http: undefined, concurrency: 8 }, 'Nightshift is at work.')
      log.warn({ reason: 'no route', cure: 'Add the route.' }, 'A run waits.')
      log.debug('nobody asked for this')
    }),
  ).toEqual([
    'TIME INFO: Nightshift is at work. jobs=["daily","weekly"] queue=postgres concurrency=8',
    'TIME WARN: A run waits. reason="no route"\n    Add the route.',
  ])
})

test('a stack stands below its line, and once', () => {
  const error = new TypeError('odd')
  error.stack = 'TypeError: odd\n    at one.ts:1'
  expect(lines((log) => log.error({ err: error }, 'A request failed.'))).toEqual([
    'TIME ERROR: A request failed. err={"type":"TypeError","message":"odd"}\n    TypeError: odd\n        at one.ts:1',
  ])
})

test('what others said cannot act on the terminal, nor look like another line', () => {
  const evil = 'x\u001b[2J\u009b1A\u202e\nINFO: all is well'
  const [line = ''] = lines((log) => log.warn({ [evil]: evil, deep: { evil }, cure: evil, err: { stack: evil } }, evil), true)
  expect(line.replaceAll(/\u001b\[\d+m/g, '')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  expect(line.split('\n').slice(1)).toEqual([
    String.raw`    x\u001b[2J\u009b1A\u202e`, '    INFO: all is well',
    String.raw`    x\u001b[2J\u009b1A\u202e`, expect.stringMatching(/^ {4}INFO: all is well/),
  ]) // prettier-ignore
})
