import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { FAILURES } from '../../src/core/failure-codes.ts'
import { openApi } from '../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'

const SRC = join(import.meta.dirname, '../../src')
const testApp = { jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } }

const documentSchema = z.looseObject({
  openapi: z.string(),
  security: z.array(z.unknown()),
  tags: z.array(z.object({ name: z.string(), description: z.string().min(1) })),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        operationId: z.string(),
        summary: z.string(),
        description: z.string().min(1),
        tags: z.array(z.string()).min(1),
        security: z.unknown().optional(),
        parameters: z.array(z.looseObject({ in: z.string(), name: z.string() })).optional(),
        responses: z.record(z.string(), z.looseObject({ description: z.string().min(1), headers: z.record(z.string(), z.unknown()) })),
      }),
    ),
  ),
})

/** Every `$ref` in a value. */
function refsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, one]) => (key === '$ref' && typeof one === 'string' ? [one] : refsIn(one)))
}

const lookUp = (document: unknown, ref: string): unknown =>
  ref
    .slice(2)
    .split('/')
    .reduce<unknown>((value, part) => (typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined), document)

test('the document tells of every route, each with its own name, and of nothing that is not there', async () => {
  await using api = await openApi(testApp)
  const { body } = await api.ask('GET', '/openapi.json', { who: 'nobody' })
  const document = documentSchema.parse(body)
  expect(document.openapi).toBe('3.1.0')
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  )
  expect(operations.map(({ path, method, operationId }) => `${method} ${path} ${operationId}`).toSorted()).toMatchInlineSnapshot(`
    [
      "get /livez getLiveness",
      "get /metrics getMetrics",
      "get /readyz getReadiness",
      "get /v1/acts listActs",
      "get /v1/jobs listJobs",
      "get /v1/runs listRuns",
      "get /v1/runs/{id} getRun",
      "get /v1/runs/{id}/events followRun",
      "get /v1/runs/{id}/output getRunOutput",
      "get /v1/runs/{id}/reports listReports",
      "get /v1/runs/{id}/results/{result} getRunResult",
      "get /v1/schedules listSchedules",
      "get /v1/spend showSpend",
      "get /v1/status showStatus",
      "post /v1/jobs/{job}/runs createRun",
      "post /v1/runs/bulk-cancel bulkCancel",
      "post /v1/runs/bulk-retry bulkRetry",
      "post /v1/runs/{id}/cancel cancelRun",
      "post /v1/runs/{id}/retry retryRun",
      "post /v1/runs:batch createRuns",
      "post /v1/schedules/{job}/pause pauseSchedule",
      "post /v1/schedules/{job}/resume resumeSchedule",
    ]
  `)
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
  expect(document.security).toEqual([{ token: [] }, { pomerium: [] }])
  for (const { path, parameters = [], responses, security, tags } of operations) {
    for (const tag of tags) expect(document.tags.map(({ name }) => name)).toContain(tag)
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(named)
    // Every route needs an identity and may say so, but for those that watch the process.
    expect([path, security]).toEqual([path, path.startsWith('/v1/') ? undefined : []])
    if (path.startsWith('/v1/')) expect(Object.keys(responses)).toEqual(expect.arrayContaining(['401', '403', '500', '503']))
    for (const { headers } of Object.values(responses)) expect(headers).toHaveProperty('x-request-id')
  }
  for (const ref of refsIn(body)) expect(lookUp(body, ref), ref).toBeTypeOf('object')
})

test('the document tells of every message that is posted to others', async () => {
  await using api = await openApi(testApp)
  const { body } = await api.ask('GET', '/openapi.json', { who: 'nobody' })
  const { webhooks } = z.object({ webhooks: z.record(z.string(), z.unknown()) }).parse(body)
  const schemas = Object.values(webhooks).map((webhook) => lookUp(body, refsIn(webhook)[0] ?? ''))
  const told = schemas.map((schema) => z.object({ properties: z.object({ type: z.object({ enum: z.array(z.string()) }) }) }).parse(schema))
  const types = globSync('{delivery,audit}/**/*.ts', { cwd: SRC }).flatMap((file) =>
    [...readFileSync(join(SRC, file), 'utf8').matchAll(/type: '(nightshift\.[a-z.]+)'/g)].map(([, type]) => type),
  )
  expect(new Set(types).size).toBeGreaterThan(4)
  expect(new Set(told.flatMap(({ properties }) => properties.type.enum))).toEqual(new Set(types))
})

/** Codes that a request without a route ends with, or the start of a server, or a part of an id on a command line. */
const OF_NO_ROUTE = ['ADDRESS_UNKNOWN', 'METHOD_NOT_ALLOWED', 'CONFIG_INVALID', 'COMMAND_INVALID']

test('each code that what serves a request throws is told of, each under its own status', async () => {
  await using api = await openApi(testApp)
  const { paths } = documentSchema.parse((await api.ask('GET', '/openapi.json')).body)
  const told = new Map(
    Object.entries(paths)
      // What watches the process is told how it stands, also with 503.
      .filter(([path]) => path.startsWith('/v1/'))
      .flatMap(([, methods]) => Object.values(methods))
      .flatMap(({ responses }) => Object.entries(responses).filter(([status]) => Number(status) >= 400))
      .flatMap(([status, response]) => codesOf(response).map((code) => [code, status])),
  )
  const served = [
    'http/*.ts',
    'api/**/*.ts',
    'runs/{require,intake,retry,create,follow,queries}.ts',
    'schedules/{pause,view}.ts',
    'store/runs/filter.ts',
  ]
  const thrown = globSync(served, { cwd: SRC }).flatMap((file) =>
    [...readFileSync(join(SRC, file), 'utf8').matchAll(/code: '([A-Z_]+)'/g)].map(([, code]) => code),
  )
  expect(thrown.length).toBeGreaterThan(20)
  expect(thrown.filter((code) => code !== undefined && !OF_NO_ROUTE.includes(code) && !told.has(code))).toEqual([])
  for (const [code, status] of told)
    expect(status, code).toBe(String(z.record(z.string(), z.object({ http: z.int() })).parse(FAILURES)[code]?.http))
})

/** The codes of a problem, from its schema. */
const codesOf = (response: unknown): string[] =>
  problemCodesSchema.parse(response).content['application/problem+json'].schema.allOf.flatMap((part) => part.properties?.code.enum ?? [])

const problemCodesSchema = z.object({
  content: z.object({
    'application/problem+json': z.object({
      schema: z.object({
        allOf: z.array(z.looseObject({ properties: z.object({ code: z.object({ enum: z.array(z.string()) }) }).optional() })),
      }),
    }),
  }),
})
