import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { openApi, type Who } from '../../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../../support/app/jobs.ts'

const REQUESTS = 250
const FOLLOW_MS = 3000

const refSchema = z.looseObject({ $ref: z.string() })
const schemaSchema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  minimum: z.number().optional(),
  pattern: z.string().optional(),
  format: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  items: z.unknown().optional(),
  additionalProperties: z.unknown().optional(),
})
const documentSchema = z.looseObject({
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        parameters: z.array(z.looseObject({ in: z.string(), name: z.string(), schema: z.unknown() })).default([]),
        requestBody: z.looseObject({ content: z.record(z.string(), z.looseObject({ schema: z.unknown() })) }).optional(),
      }),
    ),
  ),
})
type Document = z.output<typeof documentSchema>

interface Asked {
  who: Who
  method: string
  path: string
  headers: Record<string, string>
  raw: string | undefined
}

const HOSTILE = [
  '',
  '\0',
  '../..',
  '%',
  '\ud800',
  "' or 1=1 --",
  '<script>',
  '__proto__',
  '😀',
  '-1',
  'null',
  'a'.repeat(300),
  '{{1+1}}',
  '\u202e',
]

/** Values that mostly fit a schema of the document, and sometimes are anything. */
function valuesOf(document: Document, schema: unknown): fc.Arbitrary<unknown> {
  const wild = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom<unknown>(...HOSTILE))
  const ref = refSchema.safeParse(schema)
  if (ref.success) return valuesOf(document, document.components.schemas[ref.data.$ref.split('/').at(-1) ?? ''])
  const { type, minimum, enum: choices, properties, additionalProperties, items, format, pattern } = schemaSchema.parse(schema)
  const fitting = (): fc.Arbitrary<unknown> => {
    if (choices) return fc.constantFrom(...choices)
    if (properties) {
      const parts = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, valuesOf(document, one)]))
      return fc.record(parts, { requiredKeys: [] })
    }
    if (typeof additionalProperties === 'object' && additionalProperties !== null)
      return fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), valuesOf(document, additionalProperties), { maxKeys: 3 })
    if (items !== undefined) return fc.array(valuesOf(document, items), { maxLength: 3 })
    if (format === 'date-time') {
      const day = fc.integer({ min: 1, max: 300 }).map((days) => new Date(Date.now() + days * 86_400_000))
      const any = fc.date({ noInvalidDate: true, min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z') })
      return fc.oneof(day, any).map((date) => date.toISOString())
    }
    if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern.replace('[^\\u0000]*', '[ -~]{0,20}')))
    if (type === 'integer') return fc.integer({ min: (minimum ?? -1) - 1, max: 3 })
    if (type === 'boolean') return fc.boolean()
    return type === 'string' ? fc.string({ unit: 'grapheme' }) : fc.jsonValue()
  }
  return fc.oneof({ weight: 8, arbitrary: fitting() }, { weight: 1, arbitrary: wild })
}

function requestsOf(document: Document, ids: readonly string[]): fc.Arbitrary<Asked> {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  )
  const known: Record<string, readonly string[]> = { id: ids, job: ['work', 'fails'], result: ['t1c1', 't0c99', '0'.repeat(64)] }
  // Changes have more to be refused for, and are asked for more often.
  const changes = operations.filter(({ method }) => method !== 'get')
  return fc.constantFrom(...operations, ...changes, ...changes).chain(({ path, method, parameters, requestBody }) => {
    const named = (place: string) => parameters.filter((one) => one.in === place)
    const values = (place: string) =>
      fc.record(Object.fromEntries(named(place).map(({ name, schema }) => [name, valuesOf(document, schema)])), { requiredKeys: [] })
    const parts = named('path').map(({ name, schema }) =>
      fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...(known[name] ?? [])) },
        { weight: 1, arbitrary: valuesOf(document, schema).map(String) },
      ),
    )
    const body = Object.values(requestBody?.content ?? {}).map(({ schema }) =>
      valuesOf(document, schema).map((value) => JSON.stringify(value)),
    )
    const broken = fc.string().map((text) => `{${text}`)
    return fc.record({
      who: fc.constantFrom<Who[]>('nobody', 'viewer', 'runner', 'operator', 'operator', 'operator'),
      method: fc.constant(method.toUpperCase()),
      path: fc.tuple(fc.tuple(...parts), values('query')).map(([given, query]) => {
        let next = 0
        const filled = path.replaceAll(/\{\w+\}/g, () => encodeURIComponent((given[next++] ?? '').toWellFormed()) || '-')
        const search = new URLSearchParams(
          Object.entries(query).map(([name, value]): [string, string] => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
        )
        return `${filled}?${search.toString()}`
      }),
      headers: values('header').map((given) =>
        Object.fromEntries(
          Object.entries(given).flatMap(([name, value]) => (/^[\x21-\x7e]+$/.test(String(value)) ? [[name, String(value)]] : [])),
        ),
      ),
      raw:
        method === 'get'
          ? fc.constant(undefined)
          : fc.oneof({ weight: 9, arbitrary: fc.oneof(...body, fc.constant(undefined)) }, { weight: 1, arbitrary: broken }),
    })
  })
}

test(
  'no request from the document crashes the API, gets an answer outside it, or in without an identity',
  { timeout: 120_000 },
  async () => {
    const fails = WORK.replace('name: scripted', 'name: fails')
    await using api = await openApi({
      jobs: { work: WORK, fails },
      scripts: { scripted: WORK_SCRIPT, fails: 'always fail 401 invalid_api_key' },
    })
    await api.testApp.app.worker.start()
    const ids = [await api.create('work'), await api.create('fails')]
    for (const id of ids) await api.over(id)
    const document = documentSchema.parse((await api.ask('GET', '/openapi.json')).body)
    const statuses: Record<string, number> = {}
    await fc.assert(
      fc.asyncProperty(requestsOf(document, ids), async ({ who, method, path, headers, raw }) => {
        // A stream of a run that a pause holds does not end by itself.
        const signal = AbortSignal.timeout(FOLLOW_MS)
        const follows = /\/events\?/.test(path)
        const answer = await api
          .ask(method, path, { who, headers, ...(raw !== undefined && { raw }), ...(follows && { signal }) })
          .catch((error: unknown) => (follows && signal.aborted ? undefined : Promise.reject(error)))
        if (!answer) return
        const { status } = answer
        expect(status).toBeLessThan(500)
        if (who === 'nobody' && path.startsWith('/v1/')) expect(status).toBe(401)
        else expect(status).not.toBe(401)
        statuses[status] = (statuses[status] ?? 0) + 1
      }),
      { numRuns: REQUESTS, seed: 11 },
    )
    // It is not all refused.
    for (const status of [200, 202, 400, 401, 403, 404]) expect(statuses[status], JSON.stringify(statuses)).toBeGreaterThan(3)
    expect(api.testApp.log.filter((line) => line.includes('"level":50'))).toEqual([])
  },
)
