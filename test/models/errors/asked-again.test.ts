// The client asks again by the status of an answer; what is wrong decides whether that is of any use.
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { FAILURES } from '../../../src/core/failure-codes.ts'
import type { FailureCode } from '../../../src/core/failure-codes.ts'
import { openProvider } from '../../support/model/provider.ts'

const rows: [status: number, error: object, code: FailureCode][] = [
  [429, { code: 'insufficient_quota', message: 'Look at your plan.' }, 'MODEL_QUOTA'],
  [500, { message: 'Context size has been exceeded.' }, 'CONTEXT_FULL'],
  [503, { code: 'model_not_found', message: 'There is no channel for it.' }, 'MODEL_NOT_FOUND'],
  [500, { code: 401, message: 'upstream' }, 'MODEL_AUTH'],
  [409, { code: 'content_filter' }, 'MODEL_REFUSED'],
  [429, { message: 'busy' }, 'MODEL_RATE_LIMITED'],
  [500, { message: 'odd' }, 'MODEL_UNAVAILABLE'],
  [500, {}, 'MODEL_UNAVAILABLE'],
]

test.each((['responses', 'chat', 'messages'] as const).flatMap((way) => rows.map((row) => [way, ...row] as const)))(
  '%s: an answer with status %i and %j is asked for again only where time can heal it',
  async (way, status, error, code) => {
    let posts = 0
    await using opened = await openProvider({ way, stream: true }, (res) => {
      posts++
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip', 'retry-after-ms': '1', 'x-should-retry': 'true' }
      res.writeHead(status, headers).end(gzipSync(JSON.stringify({ error })))
    })
    expect(await opened.ask()).toMatchObject({ code })
    expect(posts).toBe(FAILURES[code].retry === 'never' ? 1 : 3)
  },
)
