import { json as bodyOf } from 'node:stream/consumers'
import { z } from 'zod'
import { Failure, messageOf } from '../../../src/core/failure.ts'
import { hold } from '../../support/model/conversation.ts'
import { serveHttp } from '../../support/net/listen.ts'
import type { PlayedCase } from '../play.ts'
import type { Asked, ModelCase } from './case.ts'

const askedSchema = z.record(z.string(), z.unknown())

/** Lets a local run meet a provider that does as one in the wild. */
export async function playModelCase(one: ModelCase): Promise<PlayedCase & { asked: Asked[] }> {
  const { name, expected, turns, refuses, api, schema, store, stream = true } = one
  const asked: Asked[] = []
  let turn = 0
  await using http = await serveHttp(async (req, res) => {
    const body = askedSchema.parse(await bodyOf(req))
    const refusal = refuses?.(body)
    if (refusal !== undefined)
      return res.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message: refusal } }))
    asked.push(body)
    const say = turns[turn++]
    return say ? say(res, body) : res.writeHead(400).end()
  })
  await using held = await hold([], { provider: { baseUrl: http.url, api, stream, store }, ...(schema && { schema }) })
  const came = await held.run().then(
    ({ text, reasons: [reason] }) =>
      reason ? reason.code : ['ok: ' + (text ?? ''), ...held.sent().map((args) => JSON.stringify(args))].join('; '),
    (error: unknown) => (error instanceof Failure ? error.code : `no failure of ours: ${messageOf(error)}`),
  )
  return { name, expected, came, asked, asExpected: came === expected }
}
