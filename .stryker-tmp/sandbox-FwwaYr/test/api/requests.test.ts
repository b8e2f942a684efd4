// @ts-nocheck
import { expect, test } from 'vitest'
import { openApi, problem, secretOf, type Ask } from '../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'

const RUNS = '/v1/jobs/work/runs'
const deep = (levels: number) => `{"input": {"any": ${'['.repeat(levels)}${']'.repeat(levels)}}}`
const json = { 'content-type': 'application/json' }

const refused: [title: string, method: string, path: string, ask: Ask, status: number, code: string][] = [
  ['a field that is not known', 'POST', RUNS, { body: { inputs: {} } }, 400, 'REQUEST_INVALID'],
  ['a query that is not known', 'GET', '/v1/runs?jobs=work', {}, 400, 'REQUEST_INVALID'],
  ['a query given twice', 'GET', '/v1/runs?job=a&job=b', {}, 400, 'REQUEST_INVALID'],
  ['a body that is broken off', 'POST', RUNS, { raw: '{"input": ' }, 400, 'REQUEST_INVALID'],
  ['a body that is no object', 'POST', RUNS, { raw: '[]' }, 400, 'REQUEST_INVALID'],
  ['a body that is null', 'POST', RUNS, { raw: 'null' }, 400, 'REQUEST_INVALID'],
  ['a body that nests too deep', 'POST', RUNS, { raw: deep(31) }, 400, 'REQUEST_INVALID'],
  ['a body that nests without end', 'POST', RUNS, { raw: '['.repeat(100_000) }, 400, 'REQUEST_INVALID'],
  ['another content type', 'POST', RUNS, { raw: '{}', headers: { 'content-type': 'text/plain' } }, 400, 'REQUEST_INVALID'],
  ['a form', 'POST', RUNS, { raw: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 400, 'REQUEST_INVALID'],
  ['a body that is too large', 'POST', RUNS, { raw: `{"input": {"any": "${'x'.repeat(262_144)}"}}` }, 413, 'REQUEST_TOO_LARGE'],
  ['a body of 20 MB', 'POST', RUNS, { raw: Buffer.alloc(20_000_000, 32), headers: json }, 413, 'REQUEST_TOO_LARGE'],
  ['input that does not match', 'POST', RUNS, { body: { input: { n: 'one' } } }, 422, 'INPUT_INVALID'],
  ['input for a job that takes none', 'POST', '/v1/jobs/plain/runs', { body: { input: { n: 1 } } }, 422, 'INPUT_INVALID'],
  ['no input for a job that takes none', 'POST', '/v1/jobs/plain/runs', { body: { input: null } }, 422, 'INPUT_INVALID'],
  ['a number that is too large to keep', 'POST', RUNS, { raw: '{"input": {"any": 1e999}}' }, 422, 'INPUT_INVALID'],
  ['half of a character', 'POST', RUNS, { raw: String.raw`{"input": {"any": "\ud800"}}` }, 422, 'INPUT_INVALID'],
  ['a time that is none', 'POST', RUNS, { body: { startAt: 'soon' } }, 400, 'REQUEST_INVALID'],
  ['a priority that is none', 'POST', RUNS, { body: { priority: 'urgent' } }, 400, 'REQUEST_INVALID'],
  ['a job that is not there', 'POST', '/v1/jobs/nothing/runs', { body: {} }, 404, 'RUN_UNKNOWN'],
  ['a job with a NUL in its name', 'POST', '/v1/jobs/work%00/runs', { body: {} }, 400, 'REQUEST_INVALID'],
  ['a job named as a part of every object', 'POST', '/v1/jobs/__proto__/runs', { body: {} }, 404, 'RUN_UNKNOWN'],
  ['a run that is not there', 'GET', '/v1/runs/run_1', {}, 404, 'RUN_UNKNOWN'],
  ['a run with a NUL in its id', 'GET', '/v1/runs/run_%00', {}, 400, 'REQUEST_INVALID'],
  ['events of no run', 'GET', '/v1/runs/run_1/events', {}, 404, 'RUN_UNKNOWN'],
  ['output of no run', 'GET', '/v1/runs/run_1/output', {}, 404, 'RUN_UNKNOWN'],
  ['cancel of no run', 'POST', '/v1/runs/run_1/cancel', {}, 404, 'RUN_UNKNOWN'],
  ['retry of no run', 'POST', '/v1/runs/run_1/retry', {}, 404, 'RUN_UNKNOWN'],
  ['other input for a pinned job', 'POST', '/v1/runs/run_1/retry', { body: { input: {}, definition: 'pinned' } }, 400, 'REQUEST_INVALID'],
  ['a pause of no job', 'POST', '/v1/schedules/nothing/pause', { body: { reason: 'x' } }, 404, 'RUN_UNKNOWN'],
  ['a resume of no job', 'POST', '/v1/schedules/nothing/resume', {}, 404, 'RUN_UNKNOWN'],
  ['a pause without a reason', 'POST', '/v1/schedules/work/pause', { body: {} }, 400, 'REQUEST_INVALID'],
  ['a pause without a body', 'POST', '/v1/schedules/work/pause', {}, 400, 'REQUEST_INVALID'],
  ['a reason with a NUL', 'POST', '/v1/schedules/work/pause', { body: { reason: 'a\0' } }, 400, 'REQUEST_INVALID'],
  ['a filter with a NUL', 'GET', '/v1/runs?requestedBy=a%00', {}, 400, 'REQUEST_INVALID'],
  ['a cursor that is none', 'GET', '/v1/runs?cursor=1', {}, 400, 'REQUEST_INVALID'],
  ['a page that is too long', 'GET', '/v1/runs?limit=501', {}, 400, 'REQUEST_INVALID'],
  ['a wait that is too long', 'GET', '/v1/runs/run_1?wait=61', {}, 400, 'REQUEST_INVALID'],
  ['an event id that is none', 'GET', '/v1/runs/run_1/events', { headers: { 'last-event-id': 'x' } }, 400, 'REQUEST_INVALID'],
  ['a bulk retry of everything', 'POST', '/v1/runs/bulk-retry', { body: { filter: {} } }, 400, 'REQUEST_INVALID'],
  ['a bulk retry without a filter', 'POST', '/v1/runs/bulk-retry', { body: {} }, 400, 'REQUEST_INVALID'],
  ['a bulk retry of green runs', 'POST', '/v1/runs/bulk-retry', { body: { filter: { status: ['succeeded'] } } }, 400, 'REQUEST_INVALID'],
  ['a bulk retry of no status', 'POST', '/v1/runs/bulk-retry', { body: { filter: { status: [] } } }, 400, 'REQUEST_INVALID'],
  ['an address under /v1 that is none', 'GET', '/v1/nothing', {}, 404, 'RUN_UNKNOWN'],
  ['an address that is none', 'GET', '/nothing', {}, 404, 'RUN_UNKNOWN'],
  ['a method that a route does not have', 'DELETE', '/v1/runs/run_1', {}, 404, 'RUN_UNKNOWN'],
]

test('what is not as the document says is refused with a problem and our code', async () => {
  await using api = await openApi({
    jobs: { work: WORK, plain: WORK.replace(/input:.*\n/, '') },
    scripts: { scripted: WORK_SCRIPT },
  })
  const told: unknown[] = []
  const expected: unknown[] = []
  for (const [title, method, path, ask, status, code] of refused) {
    const answer = await api.ask(method, path, ask)
    told.push([title, answer.status, answer.headers.get('content-type'), problem.parse(answer.body).code])
    expected.push([title, status, 'application/problem+json', code])
  }
  expect(told).toEqual(expected)
  expect((await api.ask('GET', '/v1/runs')).body).toEqual({ runs: [], nextCursor: null })
})

test('a refusal names the fields', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const { body } = await api.ask('POST', RUNS, { body: { priority: 'urgent', wrong: 1 } })
  expect(body).toMatchObject({
    code: 'REQUEST_INVALID',
    errors: [{ field: 'json.priority' }, { field: 'json.wrong', message: 'is not a known field' }],
  })
})

test('a body of unknown length is cut at the same size', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const chunk = Buffer.alloc(65_536, 32)
  const send = (chunks: number) =>
    fetch(`${api.url}${RUNS}`, {
      method: 'POST',
      headers: { ...json, authorization: `Bearer ${secretOf('operator')}` },
      body: ReadableStream.from([...Array.from({ length: chunks }, () => chunk), Buffer.from('{}')]),
      duplex: 'half',
    })
  expect((await send(3)).status).toBe(202)
  expect((await send(4)).status).toBe(413)
})

test('what JSON can hold comes back as it was', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const any = { nul: '\0', words: 'é😀 </script>', number: 1.5e-7, nested: JSON.parse(deep(10)), ['__proto__x']: null }
  const id = await api.create('work', { input: { any } })
  expect((await api.show(id)).input).toEqual({ any })
})
