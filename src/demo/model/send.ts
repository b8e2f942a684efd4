import type { ServerResponse } from 'node:http'
import type { Fault } from './script.ts'

export type Fail = (status: number, code: string, message: string, headers?: Record<string, string>) => void

export function sendJson(res: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = JSON.stringify(body)
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers })
  res.end(text)
}

export function sendFault(res: ServerResponse, fault: Fault, fail: Fail): void {
  switch (fault.kind) {
    case 'status':
      return fail(
        fault.status,
        fault.code ?? 'server_error',
        `Scripted failure ${fault.status}.`,
        fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) },
      )
    case 'cut':
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write('event: response.created\ndata: {"type":"resp')
      res.flushHeaders()
      setImmediate(() => res.socket?.resetAndDestroy())
      return
    case 'silent':
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.end()
      return
    case 'garbage':
      res.writeHead(200, { 'content-type': 'application/json' })
      res.end('<html>not JSON</html>')
  }
}
