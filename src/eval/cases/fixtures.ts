// A stand-in gateway on this machine for a recorded case: it lists the servers of the record as routes and answers their calls from it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { text as readText } from 'node:stream/consumers'
import { Agent } from 'undici'
import { z } from 'zod'
import { digestOf } from '../../lib/hash/digest.ts'
import type { RunResources } from '../../runs/resources.ts'
import type { Recording } from './recording.ts'
import { parseDigits, tryParse } from '../../lib/json/parse.ts'

export interface Fixtures extends AsyncDisposable {
  /** The resources of the bench with the stand-in for the gateway. No token of an account is sent to it. */
  resources: RunResources
}

const ROUTES = '/.pomerium/mcp/routes'
export const OFF_RECORD = 'Error: not in the record'

const messageSchema = z.looseObject({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string(),
  params: z
    .looseObject({ protocolVersion: z.string().optional(), name: z.string().optional(), arguments: z.unknown().optional() })
    .optional(),
})
type Message = z.output<typeof messageSchema>

/** Serves a record over HTTP on a port of this machine. */
export async function openFixtures(record: Recording, resources: RunResources): Promise<Fixtures> {
  const servers = new Map(Object.entries(record.servers).map(([name, server]) => [name, createAnswers(server)]))
  let origin = ''

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (req.url === ROUTES)
      return send(res, 200, { servers: [...servers.keys()].map((name) => ({ name, url: `${origin}/${encodeURIComponent(name)}` })) })
    const answers = servers.get(decodeURIComponent((req.url ?? '').slice(1)))
    if (!answers) return send(res, 404, {})
    if (req.method !== 'POST') return send(res, 405, {})
    const message = messageSchema.parse(parseDigits(await readText(req)))
    if (message.id === undefined) return void res.writeHead(202).end()
    send(res, 200, { jsonrpc: '2.0', id: message.id, ...answers(message) })
  }

  const http = createServer((req, res) => void serve(req, res).catch(() => res.destroy()))
  http.listen(0, '127.0.0.1')
  // oxlint-disable-next-line waits/bounded -- the kernel says at once whether the address can be had
  await once(http, 'listening')
  const address = http.address()
  origin = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  const dispatcher = new Agent()
  return {
    resources: {
      ...resources,
      accounts: new Map([...resources.accounts.keys()].map((account) => [account, { current: () => NO_TOKEN }])),
      perRun: new Set(),
      gateway: { ...resources.gateway, url: origin, dispatcher },
    },
    async [Symbol.asyncDispose]() {
      await dispatcher.destroy()
      http.closeAllConnections()
      // oxlint-disable-next-line waits/bounded -- its connections were ended just now
      await new Promise((done) => http.close(done))
    },
  }
}

/** Nothing that a gateway would take. */
const NO_TOKEN = { jwt: 'none', accountId: 'none', userId: 'none', expiresAt: undefined }

type Answer = { result: unknown } | { error: { code: number; message: string } }

/** Equal calls get the answers that they got, in that order, and the last one again when there are no more. */
function createAnswers({ tools, calls, instructions }: Recording['servers'][string]) {
  const kept = Map.groupBy(calls, keyOf)
  const given = new Map<string, number>()
  return ({ method, params }: Message): Answer => {
    switch (method) {
      case 'initialize':
        return {
          result: {
            protocolVersion: params?.protocolVersion ?? '2025-06-18',
            capabilities: { tools: {} },
            serverInfo: { name: 'record', version: '1' },
            ...(instructions !== undefined && { instructions }),
          },
        }
      case 'ping':
        return { result: {} }
      case 'tools/list':
        return { result: { tools } }
      case 'tools/call': {
        const key = keyOf({ tool: params?.name ?? '', arguments: params?.arguments ?? {} })
        const answers = kept.get(key) ?? []
        const at = given.get(key) ?? 0
        given.set(key, at + 1)
        const answer = answers[Math.min(at, answers.length - 1)]
        if (!answer) return { result: { content: [{ type: 'text', text: OFF_RECORD }], isError: true } }
        return { result: { content: [{ type: 'text', text: answer.text }], ...(answer.error && { isError: true }) } }
      }
      default:
        return { error: { code: -32601, message: `The record has no ${method}.` } }
    }
  }
}

const keyOf = ({ tool, arguments: args }: { tool: string; arguments?: unknown }) =>
  digestOf([tool, typeof args === 'string' ? (tryParse(args, parseDigits) ?? args) : (args ?? {})])

function send(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
