import { expect, test } from 'vitest'
import { doubtedLines, type Flight, type OpenLine } from '../../../../src/core/rules/join/doubt.ts'

const at = (seconds: number) => new Date(Date.parse('2026-11-24T10:00:00Z') + seconds * 1000)
const flight = (extra: Partial<Flight> = {}): Flight => ({
  sentAt: at(0),
  accountId: 'sa-1',
  method: 'POST',
  host: 'hr.example.com',
  rpcMethod: 'tools/call',
  tool: 'query',
  ...extra,
})
let next = 1
const line = (extra: Partial<OpenLine> = {}): OpenLine => ({
  id: String(next++),
  time: at(1),
  accountId: 'sa-1',
  method: 'POST',
  host: 'hr.example.com',
  mcpMethod: 'tools/call',
  mcpTool: 'query',
  ...extra,
})

test('a request under way is a doubt about one line, however many there are like it', () => {
  const lines = Array.from({ length: 100 }, () => line())
  expect(doubtedLines(lines, [flight()]).size).toBe(1)
  expect(doubtedLines(lines, [flight(), flight()]).size).toBe(2)
})

test('it is the line next to it in time, and of several the first', () => {
  const [near, far] = [line({ time: at(1) }), line({ time: at(30) })]
  expect(doubtedLines([far, near], [flight()])).toEqual(new Set([near.id]))
  expect(doubtedLines([far, near], [flight(), flight({ sentAt: at(29) })])).toEqual(new Set([near.id, far.id]))
  const [first, second] = [line({ id: '9' }), line({ id: '10' })]
  expect(doubtedLines([second, first], [flight()])).toEqual(new Set([first.id]))
})

test.each([
  ['a minute before', { time: at(-60) }, true],
  ['more than a minute before', { time: at(-60.001) }, false],
  ['a minute after', { time: at(60) }, true],
  ['more than a minute after', { time: at(60.001) }, false],
  ['of another account', { accountId: 'sa-2' }, false],
  ['of another HTTP method', { method: 'GET' }, false],
  ['on another host', { host: 'crm.example.com' }, false],
  ['of another method', { mcpMethod: 'initialize' }, false],
  ['of another tool', { mcpTool: 'drop' }, false],
  ['that the gateway could not look into', { mcpMethod: null, mcpTool: null }, true],
])('a line %s', (_, extra, isDoubted) => {
  expect(doubtedLines([line(extra)], [flight()]).size).toBe(isDoubted ? 1 : 0)
})

test('a request whose method and tool are not known may be any', () => {
  expect(doubtedLines([line()], [flight({ rpcMethod: null, tool: null })]).size).toBe(1)
})
