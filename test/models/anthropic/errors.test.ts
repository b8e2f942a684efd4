// What Anthropic says of errors, by the types that it publishes.
import { expect, test } from 'vitest'
import { FAILURES, type FailureCode } from '../../../src/core/failure-codes.ts'
import { openProvider } from '../../support/model/provider.ts'

const errors: [status: number, type: string, message: string, code: FailureCode][] = [
  [400, 'invalid_request_error', 'messages: Field required', 'MODEL_REJECTED'],
  [400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum', 'CONTEXT_FULL'],
  [400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.', 'MODEL_QUOTA'],
  [400, 'invalid_request_error', 'You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.', 'MODEL_QUOTA'],
  [400, 'invalid_request_error', 'Output blocked by content filtering policy', 'MODEL_REFUSED'],
  [401, 'authentication_error', 'invalid x-api-key', 'MODEL_AUTH'],
  [402, 'billing_error', 'There is an issue with your billing.', 'MODEL_QUOTA'],
  [403, 'permission_error', 'Your API key does not have permission to use the specified resource.', 'MODEL_AUTH'],
  [404, 'not_found_error', 'model: claude-none', 'MODEL_NOT_FOUND'],
  [413, 'request_too_large', 'Request exceeds the maximum allowed number of bytes', 'CONTEXT_FULL'],
  [429, 'rate_limit_error', 'This request would exceed your organization’s rate limit of 50,000 input tokens per minute.', 'MODEL_RATE_LIMITED'],
  [500, 'api_error', 'Internal server error', 'MODEL_UNAVAILABLE'],
  [504, 'timeout_error', 'The request timed out.', 'MODEL_UNAVAILABLE'],
  [529, 'overloaded_error', 'Overloaded', 'MODEL_UNAVAILABLE'],
] // prettier-ignore
const body = (type: string, message: string, details?: object) =>
  JSON.stringify({ type: 'error', error: { type, message, ...(details && { details }) }, request_id: 'req_1' })

test.each(errors)('%i %s “%s” is %s', async (status, type, message, code) => {
  await using opened = await openProvider({ way: 'messages', stream: true }, (res) =>
    res.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_1', 'retry-after-ms': '1' }).end(body(type, message)),
  )
  expect(await opened.ask()).toMatchObject({ code, requestId: 'req_1', message: `odd, model m: ${status} ${message.replace(/\.$/, '')}.` })
})

test.each(errors)('in a stream, %i %s “%s” is %s too', async (_, type, message, code) => {
  await using opened = await openProvider({ way: 'messages', stream: true }, (res) =>
    res.writeHead(200, { 'content-type': 'text/event-stream' }).end(`event: error\ndata: ${body(type, message)}\n\n`),
  )
  expect(await opened.ask()).toMatchObject({ code })
})

test('a code says more than its type', async () => {
  await using opened = await openProvider({ way: 'messages', stream: true }, (res) =>
    res
      .writeHead(429, { 'content-type': 'application/json' })
      .end(body('rate_limit_error', 'Too much.', { error_code: 'contract_spend_limit_reached' })),
  )
  expect(await opened.ask()).toMatchObject({ code: 'MODEL_QUOTA', retry: FAILURES.MODEL_QUOTA.retry })
})

test('the client does not sleep for long by itself: a long wait is the run’s', async () => {
  let posts = 0
  await using opened = await openProvider({ way: 'messages', stream: true }, (res) => {
    posts++
    res.writeHead(429, { 'content-type': 'application/json', 'retry-after': '3600' }).end(body('rate_limit_error', 'Too fast.'))
  })
  expect(await opened.ask()).toMatchObject({ code: 'MODEL_RATE_LIMITED', retryAfterMs: 3_600_000 })
  expect(posts).toBe(1)
})
