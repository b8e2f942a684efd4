import type { ServerResponse } from 'node:http'
import type Anthropic from '@anthropic-ai/sdk'
import type { Fault } from '../script.ts'
import { sendJson } from '../send.ts'

type Type = Anthropic.ErrorObject['type']

const BY_STATUS: Readonly<Record<number, Type>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

/** What this API says where scripts name a code of OpenAI’s. */
const IN_WORDS: Readonly<Record<string, readonly [Type, string]>> = {
  insufficient_quota: [
    'invalid_request_error',
    'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
  ],
  context_length_exceeded: ['invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'],
  invalid_api_key: ['authentication_error', 'invalid x-api-key'],
  model_not_found: ['not_found_error', 'model: scripted'],
  content_policy_violation: ['invalid_request_error', 'Output blocked by content filtering policy'],
  rate_limit_exceeded: ['rate_limit_error', 'This request would exceed your organization’s rate limit of 50 requests per minute.'],
  rate_limit: ['rate_limit_error', 'This request would exceed your organization’s rate limit of 50 requests per minute.'],
  server_error: ['api_error', 'Internal server error'],
}

export const errorBody = (type: Type, message: string) => ({ type: 'error', error: { type, message }, request_id: null })

export const refuse = (res: ServerResponse, status: number, message: string): void =>
  sendJson(res, status, errorBody(BY_STATUS[status] ?? 'api_error', message))

const saidOf = (code: string): readonly [Type, string] => IN_WORDS[code] ?? ['api_error', `Scripted failure ${code}.`]

/** An error in the midst of a stream. */
export const errorEvent = (code: string): string => `event: error\ndata: ${JSON.stringify(errorBody(...saidOf(code)))}\n\n`

/** What a script lets go wrong, as this API does it. */
export function sendFault(res: ServerResponse, fault: Fault): void {
  switch (fault.kind) {
    case 'status': {
      const { status, code, retryAfter } = fault
      const body = code !== undefined && code in IN_WORDS ? errorBody(...saidOf(code)) : errorBody(BY_STATUS[status] ?? 'api_error', `Scripted failure ${status}.`) // prettier-ignore
      return sendJson(res, status, body, retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) })
    }
    case 'no-room':
      return refuse(res, 529, 'Overloaded')
    case 'cut':
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write('event: message_start\ndata: {"type":"mess')
      res.flushHeaders()
      setImmediate(() => res.socket?.resetAndDestroy())
      return
    case 'silent':
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.end()
      return
    case 'error-event':
    case 'failed-event':
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.end(errorEvent(fault.code))
      return
    case 'garbage':
      res.writeHead(200, { 'content-type': 'application/json' })
      res.end('<html>not JSON</html>')
  }
}
