import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { calculateJwkThumbprint, exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { createAuthenticate, type Callers, type IdentityOptions } from '../../src/http/identity.ts'
import { openApi, problem, secretOf, TOKEN_LINES, type Who } from '../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'

const AUDIENCE = 'jobs.example.com'
const es256 = await generateKeyPair('ES256')
const jwk = await exportJWK(es256.publicKey)
const kid = await calculateJwkThumbprint(jwk)
const rsa = await generateKeyPair('RS256')
const keys = [
  { ...jwk, kid, alg: 'ES256', use: 'sig' },
  { ...(await exportJWK(rsa.publicKey)), kid: 'rsa', alg: 'RS256', use: 'sig' },
]
const now = () => Math.floor(Date.now() / 1000)

const callers: Callers = {
  tokens: {},
  users: {
    'ann@example.com': { role: 'viewer', jobs: undefined },
    'svc-caller': { role: 'runner', jobs: ['work'] },
    'both@example.com': { role: 'viewer', jobs: undefined },
  },
  groups: { ops: { role: 'operator', jobs: undefined } },
}
const used: string[] = []
const served: { requestId: string; host: string }[] = []
const options: IdentityOptions = {
  callers: () => callers,
  onToken: (sha256) => void used.push(sha256),
  onServed: async (one) => void served.push(one),
  pomerium: () => ({ audience: AUDIENCE, jwksUrl: `https://${AUDIENCE}/.well-known/pomerium/jwks.json` }),
  fetch: async () => Response.json({ keys }),
}

const claims = (extra: JWTPayload = {}): JWTPayload => ({
  sub: 'svc-caller',
  iss: AUDIENCE,
  aud: AUDIENCE,
  iat: now(),
  exp: now() + 300,
  email: '',
  groups: [],
  ...extra,
})
type Key = Parameters<SignJWT['sign']>[0]
const sign = (payload: JWTPayload, key: Key = es256.privateKey, header: { alg: string; kid?: string } = { alg: 'ES256', kid }) =>
  new SignJWT(payload).setProtectedHeader(header).sign(key)
const without = (name: string) => Object.fromEntries(Object.entries(claims()).filter(([key]) => key !== name))

const authenticate = createAuthenticate(options)
const outcome = async (jwt: string, more: Record<string, string> = {}) => {
  try {
    const { name, grants } = await authenticate(new Headers({ 'x-pomerium-jwt-assertion': jwt, ...more }))
    return [name, ...grants.map(({ role, jobs }) => `${role}${jobs ? ` ${jobs.join()}` : ''}`)].join(' ')
  } catch (error) {
    const { code, message } = z.object({ code: z.string(), message: z.string() }).parse(error)
    // A signature in a message would be a secret in a log.
    expect(message).not.toContain(jwt.split('.')[2] || 'eyJ')
    return code
  }
}

const forged = await generateKeyPair('ES256')
const es384 = await generateKeyPair('ES384')
const spki = Buffer.from(await exportSPKI(es256.publicKey))

const assertions: [title: string, jwt: () => string | Promise<string>, expected: string][] = [
  ['a valid one', () => sign(claims()), 'svc-caller runner work'],
  ['one that expired within the tolerance', () => sign(claims({ exp: now() - 10 })), 'svc-caller runner work'],
  ['one that is not valid yet, within the tolerance', () => sign(claims({ nbf: now() + 10 })), 'svc-caller runner work'],
  ['one for several audiences', () => sign(claims({ aud: ['other', AUDIENCE] })), 'svc-caller runner work'],
  ['a user known by email', () => sign(claims({ sub: 'u1', email: 'ann@example.com' })), 'ann@example.com viewer'],
  [
    'what user and group may together',
    () => sign(claims({ sub: 'u2', email: 'both@example.com', groups: ['x', 'ops'] })),
    'both@example.com viewer operator',
  ],
  ['a user without a role', () => sign(claims({ sub: 'nobody' })), 'FORBIDDEN'],
  ['a user named as a part of every object', () => sign(claims({ sub: 'constructor', groups: ['__proto__'] })), 'FORBIDDEN'],
  ['an issuer written as an address', () => sign(claims({ iss: `https://${AUDIENCE}/` })), 'svc-caller runner work'],
  ['an email in other letters', () => sign(claims({ sub: 'u1', email: 'Ann@Example.com' })), 'Ann@Example.com viewer'],
  ['an email that Postgres cannot hold', () => sign(claims({ email: 'a\0b' })), 'a\ufffdb runner work'],
  ['a user who calls themselves a token', () => sign(claims({ email: 'token:operator' })), 'ASSERTION_INVALID'],
  ['one that holds for ten years', () => sign(claims({ iat: now() - 600, exp: now() + 315_360_000 })), 'ASSERTION_INVALID'],
  ['one that is signed tomorrow', () => sign(claims({ iat: now() + 86_400, exp: now() + 86_700 })), 'ASSERTION_INVALID'],
  ['claims of other types', () => sign(claims({ email: 7, groups: 'ops', user: null })), 'svc-caller runner work'],
  ['another audience', () => sign(claims({ aud: 'other.example.com' })), 'ASSERTION_INVALID'],
  ['no audience', () => sign(without('aud')), 'ASSERTION_INVALID'],
  ['another issuer', () => sign(claims({ iss: 'other.example.com' })), 'ASSERTION_INVALID'],
  ['no issuer', () => sign(without('iss')), 'ASSERTION_INVALID'],
  ['one that expired', () => sign(claims({ exp: now() - 60 })), 'ASSERTION_INVALID'],
  ['one that never expires', () => sign(without('exp')), 'ASSERTION_INVALID'],
  ['one that is not valid yet', () => sign(claims({ nbf: now() + 60 })), 'ASSERTION_INVALID'],
  ['no subject', () => sign(without('sub')), 'ASSERTION_INVALID'],
  ['an empty subject', () => sign(claims({ sub: '' })), 'ASSERTION_INVALID'],
  ['one without a signature', () => new UnsecuredJWT(claims()).encode(), 'ASSERTION_INVALID'],
  ['the public key as a shared secret', () => sign(claims(), spki, { alg: 'HS256', kid }), 'ASSERTION_INVALID'],
  ['a key of RSA that is Pomerium’s', () => sign(claims(), rsa.privateKey, { alg: 'RS256', kid: 'rsa' }), 'svc-caller runner work'],
  ['a key of RSA under the id of another', () => sign(claims(), rsa.privateKey, { alg: 'RS256', kid }), 'ASSERTION_INVALID'],
  ['ES384', () => sign(claims(), es384.privateKey, { alg: 'ES384', kid }), 'ASSERTION_INVALID'],
  ['a forged key with the known id', () => sign(claims(), forged.privateKey), 'ASSERTION_INVALID'],
  ['a forged key with its own id', () => sign(claims(), forged.privateKey, { alg: 'ES256', kid: 'mine' }), 'ASSERTION_INVALID'],
  ['a cut one', async () => (await sign(claims())).slice(0, -4), 'ASSERTION_INVALID'],
  ['no JWT', () => 'me', 'ASSERTION_INVALID'],
  ['an empty one', () => '', 'ASSERTION_INVALID'],
]

test.each(assertions)('an assertion: %s', async (_, jwt, expected) => expect(await outcome(await jwt())).toBe(expected))

test.each([
  ['its claim aud is not jobs.example.com', () => sign(claims({ aud: 'other.example.com' }))],
  ['its claim iss is not jobs.example.com or https://jobs.example.com/', () => sign(claims({ iss: 'https://other.example.com/' }))],
  ['it is not signed with ES256 or RS256', () => sign(claims(), es384.privateKey, { alg: 'ES384', kid })],
  ['its key is not among those at api.pomerium.jwksUrl', () => sign(claims(), forged.privateKey, { alg: 'ES256', kid: 'mine' })],
])('what does not hold of an assertion is named, with what it should be and without what it is: %s', async (fault, jwt) => {
  const headers = new Headers({ 'x-pomerium-jwt-assertion': await jwt() })
  await expect(authenticate(headers)).rejects.toMatchObject({ message: `Pomerium's assertion is not valid: ${fault}.` })
})

test('a key that came into use since the keys were loaded is known, also while they may not be asked for again', async () => {
  let current = keys
  let asked = 0
  const one = createAuthenticate({
    ...options,
    fetch: async () => {
      asked++
      return Response.json({ keys: current })
    },
  })
  const headers = (jwt: string) => new Headers({ 'x-pomerium-jwt-assertion': jwt })
  await one(headers(await sign(claims())))
  current = [...keys, { ...(await exportJWK(forged.publicKey)), kid: 'new', alg: 'ES256', use: 'sig' }]
  const newKey = await sign(claims(), forged.privateKey, { alg: 'ES256', kid: 'new' })
  expect(await Promise.all([one(headers(newKey)), one(headers(newKey))])).toMatchObject([{ name: 'svc-caller' }, { name: 'svc-caller' }])
  // Together they asked once.
  expect(asked).toBe(2)
})

test('why there are no keys is said without the address that was asked', async () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:443'), { code: 'ECONNREFUSED' })
  const one = createAuthenticate({ ...options, fetch: () => Promise.reject(new TypeError('fetch failed', { cause })) })
  const headers = new Headers({ 'x-pomerium-jwt-assertion': await sign(claims()) })
  await expect(one(headers)).rejects.toMatchObject({
    message: "The keys of Pomerium's assertions cannot be had: ECONNREFUSED.",
    cure: expect.stringContaining('api.pomerium.jwksUrl'),
    retryAfterMs: 5000,
  })
})

test.each<[string, () => Promise<Response>]>([
  ['cannot be reached', () => Promise.reject(new TypeError('fetch failed'))],
  ['answer with a page', async () => new Response('<html>', { status: 200 })],
  ['answer with an error', async () => new Response('', { status: 503 })],
  ['are none', async () => Response.json({ nothing: true })],
])("keys that %s let nobody in, and are not the caller's fault", async (_, fetch) => {
  const one = createAuthenticate({ ...options, fetch })
  const headers = new Headers({ 'x-pomerium-jwt-assertion': await sign(claims()) })
  await expect(one(headers)).rejects.toMatchObject({ code: 'GATEWAY_UNREACHABLE' })
})

test('an assertion that is not valid is not made good by a token', async () => {
  const secret = `nsk_${randomUUID()}`
  const both = createAuthenticate({
    ...options,
    callers: () => ({
      ...callers,
      tokens: { t: { sha256: createHash('sha256').update(secret).digest('hex'), role: 'operator', jobs: undefined } },
    }),
  })
  const headers = (assertion?: string) =>
    new Headers({ authorization: `Bearer ${secret}`, ...(assertion && { 'x-pomerium-jwt-assertion': assertion }) })
  expect(await both(headers())).toMatchObject({ name: 'token:t', grants: [{ role: 'operator' }] })
  await expect(both(headers('x'))).rejects.toMatchObject({ code: 'ASSERTION_INVALID' })
  await expect(createAuthenticate({ ...options, pomerium: () => undefined })(headers('x'))).rejects.toMatchObject({
    code: 'ASSERTION_INVALID',
  })
})

const testApp = { jobs: { work: WORK, plain: WORK.replace('scripted', 'plain') }, scripts: { scripted: WORK_SCRIPT, plain: 'say No.' } }
const ALL: Who[] = ['nobody', 'viewer', 'runner', 'runsAll', 'operator']
const seen = [401, 200, 200, 200, 200]
const routes: [method: string, path: string, body: unknown, statuses: number[]][] = [
  ['GET', '/v1/jobs', undefined, seen],
  ['GET', '/v1/schedules', undefined, seen],
  ['GET', '/v1/runs', undefined, seen],
  ['GET', '/v1/runs/RUN', undefined, seen],
  ['GET', '/v1/runs/RUN/output', undefined, seen],
  ['GET', '/v1/runs/RUN/reports', undefined, seen],
  ['GET', '/v1/runs/RUN/events', undefined, seen],
  ['POST', '/v1/jobs/work/runs', {}, [401, 403, 202, 202, 202]],
  ['POST', '/v1/jobs/plain/runs', {}, [401, 403, 404, 202, 202]],
  ['POST', '/v1/runs:batch', { runs: [{ job: 'work' }] }, [401, 200, 200, 200, 200]],
  ['POST', '/v1/runs/RUN/cancel', undefined, [401, 403, 202, 202, 202]],
  ['POST', '/v1/runs/OTHER/cancel', undefined, [401, 403, 404, 202, 202]],
  ['POST', '/v1/runs/RUN/retry', {}, [401, 403, 403, 403, 409]],
  ['POST', '/v1/runs/bulk-retry', { filter: { job: 'work' }, dryRun: true }, [401, 403, 403, 403, 202]],
  ['POST', '/v1/runs/bulk-cancel', { filter: { job: 'work' }, dryRun: true }, [401, 403, 202, 202, 202]],
  ['POST', '/v1/schedules/work/pause', { reason: 'x' }, [401, 403, 403, 403, 200]],
  ['POST', '/v1/schedules/work/resume', undefined, [401, 403, 403, 403, 200]],
  ['GET', '/v1/nothing', undefined, [401, 404, 404, 404, 404]],
  ['GET', '/openapi.json', undefined, [200, 200, 200, 200, 200]],
  ['GET', '/livez', undefined, [200, 200, 200, 200, 200]],
  ['GET', '/readyz', undefined, [200, 200, 200, 200, 200]],
  ['GET', '/metrics', undefined, [200, 200, 200, 200, 200]],
]

test('each role may do what it is for on each route, and without a role nothing is allowed', async () => {
  await using api = await openApi(testApp)
  await api.testApp.app.worker.start()
  const [id, other] = [await api.create('work'), await api.create('plain')]
  await Promise.all([api.over(id), api.over(other)])
  const told: unknown[] = []
  for (const [method, path, body] of routes) {
    const statuses: number[] = []
    for (const who of ALL) {
      const answer = await api.ask(method, path.replace('RUN', id).replace('OTHER', other), { who, body })
      statuses.push(answer.status)
      if (answer.status === 401) expect(answer.headers.get('www-authenticate')).toContain('Bearer')
      if (answer.status === 401 || answer.status === 403)
        expect(problem.parse(answer.body).code).toBe(answer.status === 401 ? 'UNAUTHENTICATED' : 'FORBIDDEN')
    }
    told.push([method, path, body, statuses])
  }
  expect(told).toEqual(routes)
})

test('no way to write an address goes around the identity', async () => {
  await using api = await openApi(testApp)
  const port = Number(new URL(api.url).port)
  const paths = [
    '/v1//runs', '//v1/runs', '/V1/runs', '/./v1/runs', '/x/../v1/runs', '/%761/runs', '/v1%2fruns', '/v1/runs/%2e%2e/jobs', 'http://x/v1/runs', '/v1/runs#', '/v1/runs?',
    '/v1%2fjobs', '/v1;x/jobs', '/V1/JOBS', '/livez/../v1/runs', '/openapi.json/..%2f..%2fpackage.json',
    '/livez/%2e%2e/v1/jobs', '/metrics/../v1/schedules', '/v1\\runs',
  ] // prettier-ignore
  for (const path of paths) {
    for (const method of ['GET', 'HEAD', 'POST']) {
      const [response] = await once(request({ host: '127.0.0.1', port, path, method }).end(), 'response')
      const { statusCode } = z.object({ statusCode: z.number() }).parse(response)
      expect([400, 401, 404], `${method} ${path} ${statusCode}`).toContain(statusCode)
    }
  }
})

test('the word Bearer is known in any letters, with any space behind it', async () => {
  await using api = await openApi(testApp)
  for (const scheme of ['Bearer ', 'bearer ', 'BEARER  '])
    expect((await api.ask('GET', '/v1/jobs', { who: 'nobody', headers: { authorization: `${scheme}${secretOf('viewer')}` } })).status).toBe(
      200,
    )
})

test.each([
  ['the hash of a token', `Bearer ${TOKEN_LINES['operator']?.sha256}`],
  ['another scheme', `Basic ${secretOf('operator')}`],
  ['a token without its prefix', `Bearer ${secretOf('operator').slice(4)}`],
  ['a token with more behind it', `Bearer ${secretOf('operator')}x`],
  ['a token cut short', `Bearer ${secretOf('operator').slice(0, -1)}`],
  ['a token in lower case', `Bearer ${secretOf('operator').toLowerCase()}`],
])('%s is nobody', async (_, authorization) => {
  const tokens = Object.fromEntries(
    Object.entries(TOKEN_LINES).map(([name, { sha256 }]) => [name, { sha256, role: 'operator' as const, jobs: undefined }]),
  )
  const one = createAuthenticate({ ...options, callers: () => ({ ...callers, tokens }), pomerium: () => undefined })
  await expect(one(new Headers({ authorization }))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
})

test.each([
  [{}, 'The request says nothing of who asks.'],
  [{ authorization: 'Basic b3BzOm9wcw==' }, 'Authorization is not Bearer with an API token: they begin with nsk_.'],
  [{ authorization: `Bearer ${secretOf('operator').slice(4)}` }, 'Authorization is not Bearer with an API token: they begin with nsk_.'],
  [{ authorization: `Bearer nsk_${randomUUID()}` }, 'The API token is none that the configuration knows.'],
])('who is nobody by %j is told why, and of no way to be known that there is not', async (headers, message) => {
  const refusal = (pomerium: IdentityOptions['pomerium']) =>
    createAuthenticate({ ...options, pomerium })(new Headers(headers)).catch((error: unknown) => error)
  const alone = await refusal(() => undefined)
  expect(alone).toMatchObject({ code: 'UNAUTHENTICATED', message })
  expect(alone).not.toMatchObject({ cure: expect.stringContaining('Pomerium') })
  expect(await refusal(options.pomerium)).toMatchObject({ code: 'UNAUTHENTICATED', message })
})

test('a token is good until it expires, and each use of it is told', async () => {
  const secret = `nsk_${randomUUID()}`
  const sha256 = createHash('sha256').update(secret).digest('hex')
  const ask = (expires: Date) =>
    createAuthenticate({
      ...options,
      callers: () => ({ ...callers, tokens: { t: { sha256, role: 'operator', jobs: undefined, expires } } }),
    })(new Headers({ authorization: `Bearer ${secret}` }))
  used.length = 0
  expect(await ask(new Date(Date.now() + 60_000))).toEqual({ name: 'token:t', grants: [{ role: 'operator', jobs: undefined }] })
  expect(used).toEqual([sha256])
  await expect(ask(new Date('2026-01-31T23:59:59.999Z'))).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
    message: 'The API token t expired at 2026-01-31T23:59:59.999Z.',
  })
  expect(used).toEqual([sha256])
})

test('without tokens and Pomerium no caller is accepted, and only loopback is served', async () => {
  await using api = await openApi({ ...testApp, api_: { tokens: {} } })
  for (const path of ['/v1/jobs', '/v1/runs', '/v1/nothing']) expect((await api.ask('GET', path)).status, path).toBe(401)
  for (const listen of ['0.0.0.0:0', '[::]:0', '192.0.2.1:80', '127.0.0.1.example.com:80', 'example.com:80'])
    await expect(openApi({ ...testApp, api_: { tokens: {}, listen } }), listen).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

test('a request that came through Pomerium is noted by its id there, also one of a user without a role, and none that another says to be one', async () => {
  served.length = 0
  const ask = async (jwt: string, id: string) => outcome(jwt, { 'x-request-id': id })
  await ask(await sign(claims()), 'by-pomerium')
  await ask(await sign(claims({ sub: 'nobody' })), 'without-role')
  await ask(await sign(claims({ aud: 'other.example.com' })), 'of-another-route')
  await ask('no assertion', 'forged')
  await ask(await sign(claims()), 'x'.repeat(200))
  expect(served).toEqual(['by-pomerium', 'without-role'].map((requestId) => ({ requestId, host: AUDIENCE })))
})
