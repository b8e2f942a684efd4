import { createHash, randomBytes } from 'node:crypto'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { expect } from 'vitest'
import { z } from 'zod'
import { isFinal } from '../../../src/core/run.ts'
import type { HttpServer } from '../../../src/app/server.ts'
import { runSchema } from '../../../src/api/schemas/runs.ts'
import { buildTestApp, type TestApp, type TestAppOptions } from './test-app.ts'

/** API tokens of the tests: a secret and its line of the configuration. */
function createToken(grant: { role: string; jobs?: string[] }) {
  const secret = `nsk_${randomBytes(24).toString('base64url')}`
  return { secret, line: { sha256: createHash('sha256').update(secret).digest('hex'), ...grant } }
}

const tokens = {
  viewer: createToken({ role: 'viewer' }),
  runner: createToken({ role: 'runner', jobs: ['work', 'strict'] }),
  viewerOfWork: createToken({ role: 'viewer', jobs: ['work'] }),
  operatorOfWork: createToken({ role: 'operator', jobs: ['work'] }),
  runsAll: createToken({ role: 'runner' }),
  operator: createToken({ role: 'operator' }),
}

export type Who = keyof typeof tokens | 'nobody'

export const secretOf = (who: Who): string => (who === 'nobody' ? '' : tokens[who].secret)

export const TOKEN_LINES = Object.fromEntries(Object.entries(tokens).map(([name, { line }]) => [name, line]))

export const bearer = (who: Who): Record<string, string> => (who === 'nobody' ? {} : { authorization: `Bearer ${secretOf(who)}` })

export interface Ask {
  who?: Who
  body?: unknown
  headers?: Record<string, string>
  /** Sent as it is, instead of `body`. */
  raw?: string | Buffer
  signal?: AbortSignal
}

export interface Answer {
  status: number
  headers: Headers
  text: string
  body: unknown
}

export interface Api extends AsyncDisposable {
  testApp: TestApp
  server: HttpServer
  url: string
  /** Asks the API, and checks that what it answers is in its document. */
  ask: (method: string, path: string, ask?: Ask) => Promise<Answer>
  /** Asks for a run and returns its id. */
  create(job: string, body?: unknown, ask?: Ask): Promise<string>
  show(id: string): Promise<z.output<typeof runSchema>>
  /** The run when it is over, found by waiting at the API. */
  over(id: string): Promise<z.output<typeof runSchema>>
}

const ticket = z.object({ id: z.string() })
export const problem = z.object({
  code: z.string(),
  detail: z.string(),
  cure: z.string(),
  status: z.number(),
  errors: z.array(z.unknown()).optional(),
})

/** A Nightshift with its API on a free port. No worker works until it is started. */
export async function openApi(options: TestAppOptions & { api?: never; api_?: Record<string, unknown> }): Promise<Api> {
  await using building = new AsyncDisposableStack()
  const { api_, ...rest } = options
  const testApp = building.use(
    await buildTestApp({ ...rest, config: { ...options.config, api: { listen: '127.0.0.1:0', tokens: TOKEN_LINES, ...api_ } } }),
  )
  const server = testApp.app.createApiServer()
  if (!server) throw new Error('there is no api section')
  await server.start()
  const stack = building.move()
  const client = await createClient(server.url())
  const show = async (id: string, query = '') => runSchema.parse((await client('GET', `/v1/runs/${id}${query}`)).body)
  return {
    testApp,
    server,
    url: server.url(),
    ask: client,
    async create(job, body = {}, ask = {}) {
      const answer = await client('POST', `/v1/jobs/${job}/runs`, { who: 'operator', ...ask, body })
      expect(answer.status, answer.text).toBe(202)
      return ticket.parse(answer.body).id
    },
    show,
    async over(id) {
      for (;;) {
        const run = await show(id, '?wait=30')
        if (isFinal(run.status)) return run
      }
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Asks an API and holds each answer to its own document. */
export async function createClient(url: string): Promise<Api['ask']> {
  const check = createChecker(await (await fetch(`${url}/openapi.json`)).json())
  return async (method, path, { who = 'operator', body, headers = {}, raw, signal } = {}) => {
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...bearer(who), ...(sent !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(sent !== undefined && { body: sent }),
      ...(signal && { signal }),
    })
    const text = await response.text()
    const contentType = response.headers.get('content-type') ?? ''
    const parsed: unknown = /json/.test(contentType) ? JSON.parse(text) : text
    check(method, new URL(path, url).pathname, response.status, contentType, parsed)
    return { status: response.status, headers: response.headers, text, body: parsed }
  }
}

const documentSchema = z.looseObject({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({ responses: z.record(z.string(), z.looseObject({ content: z.record(z.string(), z.unknown()).optional() })) }),
    ),
  ),
})

type Check = (method: string, path: string, status: number, contentType: string, body: unknown) => void

/** Throws when an answer under /v1 is none that the document tells of. */
export function createChecker(given: unknown): Check {
  const document = documentSchema.parse(given)
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema(z.record(z.string(), z.unknown()).parse(given), 'api')
  const compiled = new Map<string, ValidateFunction>()
  const routes = Object.keys(document.paths).map((path) => ({ path, pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`) }))
  const escape = (part: string) => part.replaceAll('~', '~0').replaceAll('/', '~1')
  const validator = (pointer: string) => {
    const found = compiled.get(pointer) ?? ajv.compile({ $ref: `api#${pointer}` })
    compiled.set(pointer, found)
    return found
  }
  return (method, path, status, contentType, body) => {
    // A fixed path goes before one with a parameter.
    const found = routes.filter(({ pattern }) => pattern.test(path)).toSorted((a, b) => a.path.split('{').length - b.path.split('{').length)
    const route = found.find((one) => document.paths[one.path]?.[method.toLowerCase()])
    const type = contentType.split(';')[0] ?? ''
    const told = `${method} ${path} ${status} ${type}`
    if (!route) {
      if (path.startsWith('/v1')) expect([401, 404, 405], told).toContain(status)
      return
    }
    const content = document.paths[route.path]?.[method.toLowerCase()]?.responses[String(status)]?.content
    expect(Object.keys(content ?? {}), told).toContain(type)
    const pointer = ['paths', route.path, method.toLowerCase(), 'responses', String(status), 'content', type, 'schema'].map(escape)
    const validate = validator(`/${pointer.join('/')}`)
    if (!validate(body)) throw new Error(`${told} is not in the document: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(body)}`)
  }
}
