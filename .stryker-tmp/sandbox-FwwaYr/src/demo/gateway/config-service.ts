// @ts-nocheck
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import { errors, jwtVerify } from 'jose'
import { z } from 'zod'
import type { DemoAccount, DemoAccounts } from './accounts.ts'

const requestSchema = z.looseObject({
  id: z.string().optional(),
  serviceAccount: z
    .looseObject({ userId: z.string().default(''), description: z.string().default(''), expiresAt: z.iso.datetime().optional() })
    .optional(),
})

export interface DemoConfigService extends AsyncDisposable {
  url: string
}

/** Pomerium's ConfigService as it was recorded: makes, lists and deletes the stand-in's service accounts, for whoever has the shared secret. */
export async function startDemoConfigService({
  accounts,
  sharedSecret,
}: {
  accounts: DemoAccounts
  sharedSecret: Uint8Array
}): Promise<DemoConfigService> {
  async function refuse(req: IncomingMessage): Promise<string | undefined> {
    const token = /^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1]
    if (token === undefined) return 'unauthenticated'
    try {
      const { payload } = await jwtVerify(token, sharedSecret, { algorithms: ['HS256'], requiredClaims: ['exp'] })
      return Object.keys(payload).length === 1 ? undefined : 'invalid JWT'
    } catch (error) {
      if (error instanceof errors.JOSEError) return 'invalid JWT'
      throw error
    }
  }

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const send = (status: number, body: unknown) =>
      void res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    const text = await readText(req)
    const why = await refuse(req)
    if (why !== undefined) return send(500, { code: 'unknown', message: `rpc error: code = Unauthenticated desc = ${why}` })
    const { id = '', serviceAccount } = requestSchema.parse(JSON.parse(text || '{}'))
    switch (req.url) {
      case '/pomerium.config.ConfigService/CreateServiceAccount': {
        if (!serviceAccount) return send(400, { code: 'invalid_argument', message: 'service account is required' })
        const { userId, description, expiresAt } = serviceAccount
        const made = await accounts.create({ userId, description, ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt) }) })
        return send(200, { serviceAccount: shown(accounts.get(made.id)), jwt: made.jwt })
      }
      case '/pomerium.config.ConfigService/ListServiceAccounts': {
        const list = accounts.list()
        return send(200, { serviceAccounts: list.map(shown), totalCount: String(list.length) })
      }
      case '/pomerium.config.ConfigService/GetServiceAccount': {
        const found = accounts.get(id)
        if (found) return send(200, { serviceAccount: shown(found) })
        return send(404, {
          code: 'not_found',
          message: `ServiceAccount not found (id=${id}): rpc error: code = NotFound desc = record not found`,
        })
      }
      case '/pomerium.config.ConfigService/DeleteServiceAccount':
        accounts.delete(id)
        return send(200, {})
      default:
        return void res.writeHead(404).end()
    }
  }

  const server = createServer((req, res) => void serve(req, res).catch(() => res.destroy()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

/** Protobuf's JSON has no empty texts. */
const shown = (account: DemoAccount | undefined) => Object.fromEntries(Object.entries(account ?? {}).filter(([, value]) => value !== ''))
