import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { serveHttp } from '../net/listen.ts'
import { recordedCases, recordedRpc, type RecordedCase } from './recordings.ts'

/** What stood behind the recorded gateway: it answers each request as the recorded upstream did. */
export interface RecordedUpstream extends AsyncDisposable {
  url: string
  /** Breaks off the half event stream that was begun. */
  breakOff(): void
}

/** Headers that the gateway itself puts on an answer. */
const OF_GATEWAY = new Set(['x-request-id', 'x-envoy-upstream-service-time', 'server'])

export async function startRecordedUpstream(): Promise<RecordedUpstream> {
  let begun: ServerResponse | undefined

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await text(req)
    // The connection to the upstream is Node's matter, not the gateway's.
    const { connection: _, ...headers } = req.headers
    const known = recordedCases.find((one) => isSame(one, req, body))
    switch (known && (recordedRpc(known).tool ?? new URL(known.request.url).pathname)) {
      case undefined:
        return void res.writeHead(501).end('This request was not recorded.')
      case 's401':
        return void res.writeHead(401).end()
      case 'reset':
        return void req.socket.destroy()
      case 'headers': {
        const content = [{ type: 'text', text: JSON.stringify(headers) }]
        return json(res, { jsonrpc: '2.0', id: 5, result: { content } })
      }
      case '/hello':
      case '/v1/runs':
        return json(res, { method: req.method, url: req.url, headers, body })
    }
    const { status, headers: recorded, body: answer } = known?.response ?? { status: 501, headers: {}, body: '' }
    const own = Object.fromEntries(Object.entries(recorded).filter(([name]) => !OF_GATEWAY.has(name)))
    sendRecorded(res, { status, headers: own, body: answer }, known?.error !== undefined)
    if (known?.error !== undefined) begun = res
  }

  const http = await serveHttp(serve)
  return {
    url: http.url,
    breakOff: () => void begun?.socket?.destroy(),
    [Symbol.asyncDispose]: http.close,
  }
}

/** Whether this is the recorded request, and policy let it through to here. */
function isSame({ request, authorizeLog = [] }: RecordedCase, req: IncomingMessage, body: string): boolean {
  const url = new URL(request.url)
  const isMessage = request.method === req.method && (request.body ?? '') === body
  const isAllowed = authorizeLog.some(({ allow, deny }) => allow === true && deny === false)
  return isMessage && isAllowed && url.host === req.headers['x-forwarded-host'] && url.pathname === req.url
}

/** Sends a recorded answer. A body that was cut in the recording gets the length that it was announced with. */
export function sendRecorded(
  res: ServerResponse,
  { status, headers, body }: NonNullable<RecordedCase['response']>,
  staysOpen = false,
): void {
  res.writeHead(status, headers)
  if (!staysOpen) return void res.end(body.padEnd(Number(headers['content-length'] ?? 0), ' '))
  res.flushHeaders()
  if (body !== '') res.write(body)
}

function json(res: ServerResponse, body: unknown): void {
  const sent = JSON.stringify(body)
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent) }).end(sent)
}
