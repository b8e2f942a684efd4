// @ts-nocheck
import { expect, test } from 'vitest'
import { z } from 'zod'
import { FAILURES } from '../../src/core/failure.ts'
import { openApi } from '../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'

const testApp = { jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } }

const documentSchema = z.looseObject({
  openapi: z.string(),
  security: z.array(z.unknown()),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        operationId: z.string(),
        summary: z.string(),
        security: z.unknown().optional(),
        parameters: z.array(z.looseObject({ in: z.string(), name: z.string() })).optional(),
        responses: z.record(z.string(), z.looseObject({ description: z.string().min(1) })),
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
      "get /v1/jobs listJobs",
      "get /v1/runs listRuns",
      "get /v1/runs/{id} getRun",
      "get /v1/runs/{id}/events followRun",
      "get /v1/runs/{id}/output getRunOutput",
      "get /v1/schedules listSchedules",
      "post /v1/jobs/{job}/runs createRun",
      "post /v1/runs/bulk-retry bulkRetry",
      "post /v1/runs/{id}/cancel cancelRun",
      "post /v1/runs/{id}/retry retryRun",
      "post /v1/schedules/{job}/pause pauseSchedule",
      "post /v1/schedules/{job}/resume resumeSchedule",
    ]
  `)
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
  expect(document.security).toEqual([{ token: [] }, { pomerium: [] }])
  for (const { path, parameters = [], responses, security } of operations) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(named)
    // Every route needs an identity and may say so.
    expect(security).toBeUndefined()
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['401', '403', '500', '503']))
  }
  for (const ref of refsIn(body)) expect(lookUp(body, ref), ref).toBeTypeOf('object')
})

test('each failure that a request can end with has a status in the document', async () => {
  await using api = await openApi(testApp)
  const document = documentSchema.parse((await api.ask('GET', '/openapi.json')).body)
  const told = Object.keys(document.paths['/v1/jobs/{job}/runs']?.['post']?.responses ?? {})
  const codes = [
    'UNAUTHENTICATED', 'FORBIDDEN', 'REQUEST_INVALID', 'IDEMPOTENCY_MISMATCH', 'QUEUE_FULL', 'RUN_NOT_RETRYABLE', 'RUN_UNKNOWN', 'INPUT_INVALID', 'REQUEST_TOO_LARGE',
    'STORE_UNAVAILABLE', 'QUEUE_UNAVAILABLE', 'GATEWAY_UNREACHABLE', 'INTERNAL_ERROR',
  ] as const // prettier-ignore
  for (const code of codes) expect(told, code).toContain(String(FAILURES[code].http))
})
