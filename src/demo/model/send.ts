import type { ServerResponse } from 'node:http'
import type { Fault } from './script.ts'
import type { Api } from './vendors/vendor.ts'

export type Fail = (status: number, code: string, message: string, headers?: Record<string, string>) => void

export function sendJson(res: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = JSON.stringify(body)
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers })
  res.end(text)
}

const SCRIPTED = 'Scripted failure'

export function sendFault(res: ServerResponse, fault: Fault, fail: Fail, api: Api = 'responses'): void {
  switch (fault.kind) {
    case 'status':
      return fail(
        fault.status,
        fault.code ?? 'server_error',
        `Scripted failure ${fault.status}.`,
        fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) },
      )
    case 'no-room':
      return fail(429, 'resource_unavailable', 'Flex processing is at its limit now. Try again later, or with another service_tier.')
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
    case 'error-event':
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      // Where a stream says an error: an event of its own at /v1/responses, an object in place of a chunk in chat.
      res.end(
        `data: ${JSON.stringify(api === 'responses' ? { type: 'error', code: fault.code, message: SCRIPTED, param: null, sequence_number: 0 } : { error: { message: SCRIPTED, type: fault.code, param: null, code: fault.code } })}\n\n`,
      )
      return
    case 'failed-event': {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      const response = {
        id: 'resp_failed',
        object: 'response',
        status: 'failed',
        output: [],
        error: { code: fault.code, message: SCRIPTED },
      }
      res.end(`data: ${JSON.stringify({ type: 'response.failed', sequence_number: 0, response })}\n\n`)
      return
    }
    case 'garbage':
      res.writeHead(200, { 'content-type': 'application/json' })
      res.end('<html>not JSON</html>')
  }
}
