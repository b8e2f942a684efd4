import { once } from 'node:events'
import { IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { canonicalText } from '../../src/lib/hash/chain.ts'
import { query } from '../../src/store/postgres/db.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { placesIn, planted } from '../support/wire/places.ts'
import { openApi, problem, secretOf, type Ask } from '../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'

const RUNS = '/v1/jobs/work/runs'
const deep = (levels: number) => `{"input": {"any": ${'['.repeat(levels)}${']'.repeat(levels)}}}`
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
const json = { 'content-type': 'application/json' }

const refused: [title: string, method: string, path: string, ask: Ask, status: number, code: string][] = [
  ['a field that is not known', 'POST', RUNS, { body: { inputs: {} } }, 400, 'REQUEST_INVALID'],
  ['a query that is not known', 'GET', '/v1/runs?jobs=work', {}, 400, 'REQUEST_INVALID'],
  ['a query given twice', 'GET', '/v1/runs?job=a&job=b', {}, 400, 'REQUEST_INVALID'],
  ['a body that is broken off', 'POST', RUNS, { raw: '{"input": ' }, 400, 'BODY_INVALID'],
  ['a body that is no object', 'POST', RUNS, { raw: '[]' }, 400, 'REQUEST_INVALID'],
  ['a body that is null', 'POST', RUNS, { raw: 'null' }, 400, 'REQUEST_INVALID'],
  ['a body that nests too deep', 'POST', RUNS, { raw: deep(31) }, 400, 'BODY_INVALID'],
  ['a body that nests without end', 'POST', RUNS, { raw: '['.repeat(100_000) }, 400, 'BODY_INVALID'],
  ['a key that stands twice', 'POST', RUNS, { raw: '{"input": {"any": [{"a/b": 1, "a\\/b": 2}]}}' }, 400, 'BODY_INVALID'],
  ['another content type', 'POST', RUNS, { raw: '{}', headers: { 'content-type': 'text/plain' } }, 415, 'MEDIA_UNSUPPORTED'],
  ['a form', 'POST', RUNS, { raw: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415, 'MEDIA_UNSUPPORTED'],
  ['a body that is too large', 'POST', RUNS, { raw: `{"input": {"any": "${'x'.repeat(262_144)}"}}` }, 413, 'BODY_TOO_LARGE'],
  ['a body of 20 MB', 'POST', RUNS, { raw: Buffer.alloc(20_000_000, 32), headers: json }, 413, 'BODY_TOO_LARGE'],
  ['input that does not match', 'POST', RUNS, { body: { input: { n: 'one' } } }, 422, 'INPUT_INVALID'],
  ['input for a job that takes none', 'POST', '/v1/jobs/plain/runs', { body: { input: { n: 1 } } }, 422, 'INPUT_INVALID'],
  ['no input for a job that takes none', 'POST', '/v1/jobs/plain/runs', { body: { input: null } }, 422, 'INPUT_INVALID'],
  ['a number that is too large to keep', 'POST', RUNS, { raw: '{"input": {"any": 1e999}}' }, 422, 'INPUT_INVALID'],
  ['an integer that would be another one', 'POST', RUNS, { raw: '{"input": {"any": 9007199254740993}}' }, 422, 'INPUT_INVALID'],
  ['bytes that are no UTF-8', 'POST', RUNS, { raw: Buffer.from('{"input": {"any": "caf\xe9"}}', 'latin1') }, 400, 'BODY_INVALID'],
  [
    'a body that is packed',
    'POST',
    RUNS,
    { raw: gzipSync('{}'), headers: { ...json, 'content-encoding': 'gzip' } },
    415,
    'MEDIA_UNSUPPORTED',
  ],
  [
    'half of a parameter of the content type',
    'POST',
    RUNS,
    { raw: '{}', headers: { 'content-type': 'application/json;' } },
    415,
    'MEDIA_UNSUPPORTED',
  ],
  [
    'another charset',
    'POST',
    RUNS,
    { raw: '{}', headers: { 'content-type': 'application/json; charset=latin1' } },
    415,
    'MEDIA_UNSUPPORTED',
  ],
  ['a kind of JSON', 'POST', RUNS, { raw: '{}', headers: { 'content-type': 'application/merge-patch+json' } }, 415, 'MEDIA_UNSUPPORTED'],
  ['a tag without a value', 'POST', RUNS, { body: { tags: { team: '' } } }, 400, 'REQUEST_INVALID'],
  ['a tag of two lines', 'POST', RUNS, { body: { tags: { team: 'a\nb' } } }, 400, 'REQUEST_INVALID'],
  ['a tag with half of a character', 'POST', RUNS, { raw: String.raw`{"tags": {"team": "a\ud800"}}` }, 400, 'REQUEST_INVALID'],
  ['a tag of a name with spaces', 'POST', RUNS, { body: { tags: { 'a b': 'c' } } }, 400, 'REQUEST_INVALID'],
  ['a tag named as a part of every object', 'POST', RUNS, { raw: '{"tags": {"__proto__": "x"}}' }, 400, 'REQUEST_INVALID'],
  ['tags that are a list', 'POST', RUNS, { body: { tags: ['a=b'] } }, 400, 'REQUEST_INVALID'],
  ['a tag that is a number', 'POST', RUNS, { body: { tags: { ticket: 5 } } }, 400, 'REQUEST_INVALID'],
  [
    'seventeen tags',
    'POST',
    RUNS,
    { body: { tags: Object.fromEntries(Array.from({ length: 17 }, (__, n) => [`t${n}`, 'v'])) } },
    400,
    'REQUEST_INVALID',
  ],
  ['a tag that is none, in a filter', 'GET', '/v1/runs?tag=team', {}, 400, 'REQUEST_INVALID'],
  ['a batch of nothing', 'POST', '/v1/runs:batch', { body: { runs: [] } }, 400, 'REQUEST_INVALID'],
  [
    'a batch of too many',
    'POST',
    '/v1/runs:batch',
    { body: { runs: Array.from({ length: 1001 }, () => ({ job: 'work' })) } },
    400,
    'REQUEST_INVALID',
  ],
  ['a batch that is too large', 'POST', '/v1/runs:batch', { raw: `{"runs": ["${'x'.repeat(1_048_576)}"]}` }, 413, 'BODY_TOO_LARGE'],
  ['a body that is none, where one is needed', 'POST', '/v1/runs/bulk-retry', { raw: '', headers: json }, 400, 'REQUEST_INVALID'],
  ['an escape that is none', 'GET', '/v1/runs/%zz', {}, 400, 'REQUEST_INVALID'],
  ['an escape that is no UTF-8', 'POST', '/v1/jobs/work%ff/runs', {}, 400, 'REQUEST_INVALID'],
  ['an escape that is none, in the query', 'GET', '/v1/runs?job=%zz', {}, 400, 'REQUEST_INVALID'],
  ['a page of another site', 'POST', RUNS, { headers: { 'sec-fetch-site': 'cross-site' } }, 403, 'ORIGIN_REFUSED'],
  ['a page of another host of the site', 'POST', RUNS, { headers: { 'sec-fetch-site': 'same-site' } }, 403, 'ORIGIN_REFUSED'],
  ['a page of another origin', 'POST', '/v1/runs/run_1/retry', { headers: { origin: 'https://other.example.com' } }, 403, 'ORIGIN_REFUSED'],
  ['a page without an origin', 'POST', '/v1/schedules/work/resume', { headers: { origin: 'null' } }, 403, 'ORIGIN_REFUSED'],
  ['half of a character', 'POST', RUNS, { raw: String.raw`{"input": {"any": "\ud800"}}` }, 422, 'INPUT_INVALID'],
  ['a time that is none', 'POST', RUNS, { body: { startAt: 'soon' } }, 400, 'REQUEST_INVALID'],
  ['a time that is too far ahead', 'POST', RUNS, { body: { startAt: '2999-01-01T00:00:00Z' } }, 400, 'REQUEST_INVALID'],
  ['an end before the start', 'POST', RUNS, { body: { startAt: inDays(2), expireAt: inDays(1) } }, 400, 'REQUEST_INVALID'],
  ['a priority that is none', 'POST', RUNS, { body: { priority: 'urgent' } }, 400, 'REQUEST_INVALID'],
  ['a job that is not there', 'POST', '/v1/jobs/nothing/runs', { body: {} }, 404, 'JOB_UNKNOWN'],
  ['a job with a NUL in its name', 'POST', '/v1/jobs/work%00/runs', { body: {} }, 400, 'REQUEST_INVALID'],
  ['a job named as a part of every object', 'POST', '/v1/jobs/__proto__/runs', { body: {} }, 404, 'JOB_UNKNOWN'],
  ['a run that is not there', 'GET', '/v1/runs/run_1', {}, 404, 'RUN_UNKNOWN'],
  ['a run with a NUL in its id', 'GET', '/v1/runs/run_%00', {}, 400, 'REQUEST_INVALID'],
  ['events of no run', 'GET', '/v1/runs/run_1/events', {}, 404, 'RUN_UNKNOWN'],
  ['output of no run', 'GET', '/v1/runs/run_1/output', {}, 404, 'RUN_UNKNOWN'],
  ['cancel of no run', 'POST', '/v1/runs/run_1/cancel', {}, 404, 'RUN_UNKNOWN'],
  ['retry of no run', 'POST', '/v1/runs/run_1/retry', {}, 404, 'RUN_UNKNOWN'],
  ['other input for a pinned job', 'POST', '/v1/runs/run_1/retry', { body: { input: {}, definition: 'pinned' } }, 400, 'REQUEST_INVALID'],
  ['a pause of no job', 'POST', '/v1/schedules/nothing/pause', { body: { reason: 'x' } }, 404, 'JOB_UNKNOWN'],
  ['a resume of no job', 'POST', '/v1/schedules/nothing/resume', {}, 404, 'JOB_UNKNOWN'],
  ['a pause without a reason', 'POST', '/v1/schedules/work/pause', { body: {} }, 400, 'REQUEST_INVALID'],
  ['a pause without a body', 'POST', '/v1/schedules/work/pause', {}, 400, 'REQUEST_INVALID'],
  ['a reason with a NUL', 'POST', '/v1/schedules/work/pause', { body: { reason: 'a\0' } }, 400, 'REQUEST_INVALID'],
  ['a filter with a NUL', 'GET', '/v1/runs?requestedBy=a%00', {}, 400, 'REQUEST_INVALID'],
  ['a cursor that is none', 'GET', '/v1/runs?cursor=1', {}, 400, 'REQUEST_INVALID'],
  ['a page that is too long', 'GET', '/v1/runs?limit=501', {}, 400, 'REQUEST_INVALID'],
  ['a wait that is too long', 'GET', '/v1/runs/run_1?wait=61', {}, 400, 'REQUEST_INVALID'],
  ['an event id that is none', 'GET', '/v1/runs/run_1/events', { headers: { 'last-event-id': 'x' } }, 400, 'REQUEST_INVALID'],
  ['a bulk retry of everything', 'POST', '/v1/runs/bulk-retry', { body: { filter: {} } }, 400, 'FILTER_INVALID'],
  ['a bulk retry without a filter', 'POST', '/v1/runs/bulk-retry', { body: {} }, 400, 'REQUEST_INVALID'],
  ['a bulk retry of green runs', 'POST', '/v1/runs/bulk-retry', { body: { filter: { status: ['succeeded'] } } }, 400, 'REQUEST_INVALID'],
  ['a bulk cancel of everything', 'POST', '/v1/runs/bulk-cancel', { body: { filter: {} } }, 400, 'FILTER_INVALID'],
  [
    'a bulk cancel of runs that are over',
    'POST',
    '/v1/runs/bulk-cancel',
    { body: { filter: { status: ['failed'] } } },
    400,
    'REQUEST_INVALID',
  ],
  ['a list of a status that is none', 'GET', '/v1/runs?status=failed,done', {}, 400, 'REQUEST_INVALID'],
  ['a list of no status', 'GET', '/v1/runs?status=', {}, 400, 'REQUEST_INVALID'],
  ['a bulk retry of no status', 'POST', '/v1/runs/bulk-retry', { body: { filter: { status: [] } } }, 400, 'REQUEST_INVALID'],
  ['an address under /v1 that is none', 'GET', '/v1/nothing', {}, 404, 'ADDRESS_UNKNOWN'],
  ['an address that is none', 'GET', '/nothing', {}, 404, 'ADDRESS_UNKNOWN'],
  ['a method that a route does not have', 'DELETE', '/v1/runs/run_1', {}, 405, 'METHOD_NOT_ALLOWED'],
  ['a method that health does not have', 'POST', '/livez', {}, 405, 'METHOD_NOT_ALLOWED'],
]

test('TRACE, which no request of fetch can be, is a method that no address has', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  for (const path of [RUNS, '/livez', '/v1/runs/run_1']) {
    const asked = request(`${api.url}${path}`, { method: 'TRACE', headers: { authorization: `Bearer ${secretOf('operator')}` } }).end()
    const [answer] = z.tuple([z.instanceof(IncomingMessage)]).parse(await once(asked, 'response'))
    expect([path, answer.statusCode, answer.headers.allow]).toEqual([path, 405, expect.stringMatching(/GET|POST/)])
    answer.resume()
  }
})

test('what is not as the document says is refused with a problem and our code', async () => {
  await using api = await openApi({
    jobs: { work: WORK, plain: WORK.replace(/input:.*\n/, '') },
    scripts: { scripted: WORK_SCRIPT },
  })
  const told: unknown[] = []
  const expected: unknown[] = []
  for (const [title, method, path, ask, status, code] of refused) {
    const answer = await api.ask(method, path, ask)
    const body = problem.parse(answer.body)
    told.push([title, answer.status, answer.headers.get('content-type'), body.code])
    // What happened and what to do are told apart.
    expect(body.cure, title).not.toBe('')
    expect(body.detail, title).not.toContain(body.cure)
    expected.push([title, status, 'application/problem+json', code])
  }
  expect(told).toEqual(expected)
  expect((await api.ask('GET', '/v1/runs')).body).toEqual({ runs: [], nextCursor: null })
})

test('half of a character, or a NUL, at any place of a body is refused or put right, and never a fault of ours', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const id = await api.create('work', { input: { n: 1 } })
  const bodies: [path: string, body: unknown][] = [
    [RUNS, { input: { n: 1, any: { text: 'a', list: ['a'] } }, priority: 'low', startAt: inDays(1), expireAt: inDays(2) }],
    ['/v1/schedules/work/pause', { reason: 'a' }],
    [`/v1/runs/${id}/retry`, { input: { any: 'a' } }],
    [
      '/v1/runs/bulk-retry',
      { filter: { job: 'work', requestedBy: 'a', tool: 'a.b', text: 'a', code: 'DEADLINE', since: inDays(-1) }, dryRun: true },
    ],
  ]
  for (const [path, body] of bodies)
    for (const place of placesIn(body))
      for (const half of ['\\ud83d', '\\udc00a', '\\u0000']) {
        const raw = JSON.stringify(planted(body, new Set([place]), '@half')).replaceAll('@half', half)
        const { status, text } = await api.ask('POST', path, { raw })
        expect(status, `${path} ${raw}: ${text}`).toBeLessThan(500)
        const key = await api.ask('POST', path, { raw, headers: { 'idempotency-key': 'a\u00e9' } })
        expect(key.status, `${path}: ${key.text}`).toBeLessThan(500)
      }
  const kept = await query<{ id: string }>(api.testApp.database.db, 'select id from runs')
  for (const { id: runId } of kept) {
    const run = await loadRun(api.testApp.database.db, runId)
    expect(() => canonicalText(run), runId).not.toThrow()
  }
})

test('a refusal names the fields', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const { body } = await api.ask('POST', RUNS, { body: { priority: 'urgent', wrong: 1 } })
  expect(body).toMatchObject({
    code: 'REQUEST_INVALID',
    errors: [{ field: 'body.priority' }, { field: 'body.wrong', message: 'is not a known field' }],
  })
})

test('a refusal names each fault once, and is no longer than what it refuses', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const tag = await api.ask('POST', RUNS, { body: { tags: { team: '', 'a b': 'c', n: 1 } } })
  expect(problem.parse(tag.body).detail).toBe(
    'body.tags.team: a value is one line of 1 to 100 characters; body.tags.a b: a name is a letter, and at most 39 letters, digits, _ . - behind it; body.tags.n: a value is a text.',
  )
  const fields = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`field ${n} ${'x'.repeat(20)}`, n]))
  const many = await api.ask('POST', RUNS, { body: fields })
  const { detail } = problem.parse(many.body)
  expect(detail).toMatch(/^body\.field 0 x+: is not a known field; .*; and 4980 more\.$/)
  expect(many.text.length).toBeLessThan(8000)
})

test('a number of a query is in digits and stands once, in each route that takes one', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const { body } = await api.ask('GET', '/openapi.json')
  const parameter = z.looseObject({
    in: z.string(),
    name: z.string(),
    schema: z.looseObject({ type: z.unknown().optional() }),
  })
  const { paths } = z
    .object({
      paths: z.record(
        z.string(),
        z.record(z.string(), z.looseObject({ parameters: z.array(z.looseObject({ in: z.string() })).default([]) })),
      ),
    })
    .parse(body)
  const numbers = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { parameters }]) =>
      parameters
        .filter((one) => one.in === 'query')
        .map((one) => parameter.parse(one))
        .filter(({ schema }) => /integer|number/.test(JSON.stringify(schema.type)))
        .map(({ name, schema }) => ({ method, path, name, schema })),
    ),
  )
  expect(numbers.map(({ path, name }) => `${name} of ${path}`)).toEqual(
    expect.arrayContaining(['wait of /v1/runs/{id}', 'limit of /v1/runs', 'offset of /v1/runs/{id}/results/{result}']),
  )
  for (const { method, path, name, schema } of numbers) {
    expect(schema, `${path} ${name}`).toMatchObject({ type: 'integer', minimum: expect.any(Number), maximum: expect.any(Number) })
    for (const given of [`${name}=`, `${name}=%205`, `${name}=5.0`, `${name}=1e1`, `${name}=0x10`, `${name}=-1`, `${name}=1&${name}=2`]) {
      const answer = await api.ask(method.toUpperCase(), `${path.replace(/\{job\}/, 'work').replaceAll(/\{\w+\}/g, 'x')}?${given}`)
      expect([answer.status, problem.parse(answer.body).detail], `${path} ${given}`).toEqual([
        400,
        expect.stringMatching(new RegExp(String.raw`^query\.${name}: must be a whole number from \d+ to \d+, once\.$`)),
      ])
    }
  }
})

test('names that every object has are kept in an input as they were sent', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const raw = '{"__proto__":{"a":1},"constructor":2,"toString":[{"__proto__":3}]}'
  const asked = await api.ask('POST', RUNS, { raw: `{"input": {"any": ${raw}}}` })
  const shown = await api.ask('GET', `/v1/runs/${z.object({ id: z.string() }).parse(asked.body).id}`)
  expect(shown.text).toContain(`"input":{"any":${raw}}`)
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

test('a number of many digits is kept digit by digit or refused by its name', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const digits = fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String)
  await fc.assert(
    fc.asyncProperty(digits, async (number) => {
      const answer = await api.ask('POST', RUNS, { raw: `{"input": {"any": ["\\"${number}", ${number}]}}` })
      if (answer.status === 202) expect(BigInt(Number(number))).toBe(BigInt(number))
      else expect(problem.parse(answer.body)).toMatchObject({ code: 'INPUT_INVALID', detail: expect.stringContaining(number) })
    }),
    { numRuns: 40 },
  )
})

test('a body is taken whole or refused, whatever content type stands over it', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const parts = [
    'application/json',
    'Application/JSON',
    'text/json',
    'application/x+json',
    ';',
    '; ',
    ' ',
    'charset=utf-8',
    'charset="UTF-8"',
    'charset=utf-16',
    'a=b',
    'a="b"',
    '=',
    ',',
  ]
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...parts), { maxLength: 4 }), async (given) => {
      const answer = await api.ask('POST', RUNS, { raw: '{"input": {"any": 7}}', headers: { 'content-type': given.join('') } })
      if (answer.status === 202) expect((await api.show(z.object({ id: z.string() }).parse(answer.body).id)).input).toEqual({ any: 7 })
      else expect(problem.parse(answer.body).code).toBe('MEDIA_UNSUPPORTED')
    }),
    {
      numRuns: 60,
      examples: [[['application/json', '; ', 'charset=utf-8']], [['Application/JSON']], [['application/json', ';', 'a="b"']]],
    },
  )
})

test('a content type without a body is no body', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  for (const headers of [json, { 'content-type': 'text/plain' }, {}] as Record<string, string>[]) {
    const { status } = await api.ask('POST', RUNS, { headers })
    expect(status, JSON.stringify(headers)).toBe(202)
  }
})

test('a method that a path does not have is told which it has', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const allowed = async (method: string, path: string) => (await api.ask(method, path)).headers.get('allow')
  expect(await allowed('DELETE', '/v1/runs/run_1')).toBe('GET, HEAD')
  expect(await allowed('OPTIONS', '/v1/runs/run_1/cancel')).toBe('POST')
  expect(await allowed('GET', RUNS)).toBe('POST')
  expect(await allowed('PUT', '/nothing')).toBeNull()
})

test('pages of this address, programs and people who type may ask for changes', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  for (const headers of [
    { 'sec-fetch-site': 'same-origin', origin: api.url },
    { 'sec-fetch-site': 'none' },
    { origin: api.url },
    {},
  ] as Record<string, string>[]) {
    const { status } = await api.ask('POST', RUNS, { headers })
    expect(status, JSON.stringify(headers)).toBe(202)
  }
  // Who only looks is not asked.
  expect((await api.ask('GET', '/v1/runs', { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(200)
})

test('each answer has an id that the log knows it by, and is for no cache', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  for (const path of ['/v1/runs', '/v1/nothing', '/v1/runs?limit=x', '/livez', '/openapi.json', '/nothing']) {
    const { headers } = await api.ask('GET', path)
    expect([path, headers.get('x-request-id'), headers.get('cache-control')]).toEqual([
      path,
      expect.stringMatching(/^[\w-]{36}$/),
      'no-store',
    ])
  }
  await api.ask('GET', '/v1/runs', { who: 'nobody', headers: { 'x-request-id': 'mine-1' } })
  const refusals = api.testApp.log.filter((line) => line.includes('A caller was refused.')).map((line): unknown => JSON.parse(line))
  expect(refusals).toEqual([expect.objectContaining({ requestId: 'mine-1', method: 'GET', path: '/v1/runs', code: 'UNAUTHENTICATED' })])
})

test('a client that goes away in its upload is no fault of ours', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const { port } = new URL(api.url)
  const socket = connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  const lines = [
    'host: x',
    `authorization: Bearer ${secretOf('operator')}`,
    'content-type: application/json',
    'content-length: 100',
    'expect: 100-continue',
  ]
  socket.write([`POST ${RUNS} HTTP/1.1`, ...lines, '', '{'].join('\r\n'))
  // It is asked to go on, and goes away.
  await once(socket, 'data')
  socket.destroy()
  await vi.waitFor(() => expect(api.testApp.log.filter((line) => line.includes('A client went away.'))).toHaveLength(1))
  expect(api.testApp.log.filter((line) => /"level":[45]0/.test(line))).toEqual([])
})
