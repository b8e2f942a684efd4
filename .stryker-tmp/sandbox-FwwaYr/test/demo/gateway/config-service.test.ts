// @ts-nocheck
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeJwt, SignJWT } from 'jose'
import { request } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { createDemoAccounts } from '../../../src/demo/gateway/accounts.ts'
import { startDemoConfigService, type DemoConfigService } from '../../../src/demo/gateway/config-service.ts'
import { parseJson } from '../../support/gateway/recordings.ts'

const caseSchema = z.object({
  name: z.string(),
  request: z.object({ path: z.string(), headers: z.record(z.string(), z.string()), body: z.record(z.string(), z.unknown()) }),
  response: z.object({ status: z.number(), headers: z.record(z.string(), z.string()), body: z.string() }),
})
const recorded = z
  .object({ configService: z.array(caseSchema) })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../../fixtures/pomerium-recordings.json'), 'utf8'))).configService
const listSchema = z.object({
  serviceAccounts: z.array(z.looseObject({ userId: z.string().optional(), expiresAt: z.string().optional() })),
})

const secret = randomBytes(32)
const accounts = createDemoAccounts()
let service: DemoConfigService

beforeAll(async () => {
  service = await startDemoConfigService({ accounts, sharedSecret: secret })
})

afterAll(() => service[Symbol.asyncDispose]())

/** The token of each recorded case; where the recording says no more than its shape, its name says what was wrong with it. */
async function tokenFor(name: string): Promise<string> {
  const token = new SignJWT(name === 'extra-claim' ? { sub: 'nightshift' } : {})
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(name === 'expired' ? '-60s' : '60s')
  return token.sign(name === 'wrong-key' ? randomBytes(32) : secret)
}

/** Ids, times and tokens are others each time; the order of a list is not promised. */
function comparable(value: unknown, key = ''): unknown {
  if (Array.isArray(value))
    return value.map((item) => comparable(item)).toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value)
        .toSorted(([a], [b]) => a.localeCompare(b))
        .map(([name, inner]) => [name, comparable(inner, name)]),
    )
  if (key === 'id' || key === 'jwt' || key === 'modifiedAt') return `<${key}>`
  return value
}

async function replay({ name, request: { path, headers, body } }: z.output<typeof caseSchema>) {
  const auth = headers['authorization'] === undefined ? {} : { authorization: `Bearer ${await tokenFor(name)}` }
  const answer = await request(new URL(path, service.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...auth },
    body: JSON.stringify(body),
  })
  return { status: answer.statusCode, contentType: answer.headers['content-type'], text: await answer.body.text() }
}

test('each recorded case of ConfigService is there', () => {
  expect(recorded.map(({ name }) => name)).toEqual([
    'create', 'create-no-user', 'create-empty', 'list', 'get-missing', 'delete', 'delete-missing', 'no-auth', 'wrong-key', 'expired', 'extra-claim',
  ]) // prettier-ignore
})

test.for(recorded)('$name: the stand-in answers as Pomerium did', async (one) => {
  const body = parseJson(one.response.body)
  if (one.name === 'list') {
    for (const { id } of accounts.list()) accounts.delete(id)
    for (const known of listSchema.parse(body).serviceAccounts) {
      const { userId, expiresAt } = known
      const description = z.string().parse(known['description'])
      await accounts.create({ userId: userId ?? '', description, ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt) }) })
    }
  }
  const { status, contentType, text } = await replay(one)
  expect({ status, contentType }).toEqual({ status: one.response.status, contentType: one.response.headers['content-type'] })
  // When it was last used is the one thing that the stand-in does not keep.
  const kept = one.name === 'list' ? withoutUse(listSchema.parse(body)) : body
  expect(comparable(parseJson(text))).toEqual(comparable(kept))
})

const withoutUse = ({ serviceAccounts }: z.output<typeof listSchema>) => ({
  serviceAccounts: serviceAccounts.map((account) => Object.fromEntries(Object.entries(account).filter(([key]) => key !== 'accessedAt'))),
  totalCount: String(serviceAccounts.length),
})

test('a token that it makes has the claims that Pomerium gives, and one that is deleted is gone from the list', async () => {
  const made = await replay({
    name: 'create',
    request: {
      path: '/pomerium.config.ConfigService/CreateServiceAccount',
      headers: { authorization: '' },
      body: { serviceAccount: { userId: 'svc-x', expiresAt: '2099-12-24T00:00:00Z' } },
    },
    response: { status: 200, headers: {}, body: '' },
  })
  const { jwt, serviceAccount } = z.object({ jwt: z.string(), serviceAccount: z.object({ id: z.string() }) }).parse(parseJson(made.text))
  expect(decodeJwt(jwt)).toEqual({ jti: serviceAccount.id, sub: 'svc-x', iat: 0, nbf: 0, exp: Date.parse('2099-12-24T00:00:00Z') / 1000 })
  accounts.delete(serviceAccount.id)
  expect(await accounts.verify(jwt)).toBeUndefined()
})
