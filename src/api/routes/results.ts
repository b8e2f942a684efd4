import { createRoute, z } from '@hono/zod-openapi'
import pLimit from 'p-limit'
import { visibleJobs } from '../../http/authorize.ts'
import { readWhole } from '../../runs/results/kept.ts'
import { requireStatus } from '../../runs/lookup.ts'
import type { AddRoutes } from '../context.ts'
import { answerHeaders, problemsOf, queryNumber, text } from '../schemas/common.ts'

/** A piece of a result: larger ones are asked for piece by piece. */
const MAX_BYTES = 1_048_576

/** So many are unpacked at a time, each as a whole. */
const AT_ONCE = 2

const params = z.object({
  id: text.max(100).openapi({ param: { name: 'id', in: 'path' } }),
  result: text
    .max(100)
    .openapi({ param: { name: 'result', in: 'path' } })
    .describe('As the model knows it, such as t3c1, or the digest of what is kept.'),
})
const piece = z.strictObject({
  offset: queryNumber(0, Number.MAX_SAFE_INTEGER).default(0).describe('First byte.'),
  bytes: queryNumber(1, MAX_BYTES).default(MAX_BYTES).describe('Most bytes.'),
})

const show = createRoute({
  method: 'get',
  path: '/v1/runs/{id}/results/{result}',
  operationId: 'getRunResult',
  summary: 'A piece of what a tool gave, as it is kept',
  description: 'By the id that the model knows it by, or by its digest. Larger ones are asked for piece by piece.',
  tags: ['runs'],
  request: { params, query: piece },
  responses: {
    200: {
      description: 'Bytes of the result: text in UTF-8, or an image. X-Nightshift-Total-Bytes says how many there are.',
      headers: answerHeaders.extend({ 'x-nightshift-total-bytes': z.int() }),
      content: { 'application/octet-stream': { schema: z.string() } },
    },
    ...problemsOf('RUN_UNKNOWN', 'OUTPUT_MISSING'),
  },
})

/** The route that gives whole results. */
export const addResults: AddRoutes = (app, { db }) => {
  const limited = pLimit(AT_ONCE)
  app.openapi(show, async (c) => {
    const { id, result } = c.req.valid('param')
    const { offset, bytes } = c.req.valid('query')
    await requireStatus(db, id, visibleJobs(c.get('caller')))
    const { content } = await limited(() => readWhole(db, id, result))
    // What a server sent is never shown as a page of ours, whatever it is.
    return c.body(Uint8Array.from(content.subarray(offset, offset + bytes)), 200, {
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment',
      'x-content-type-options': 'nosniff',
      'x-nightshift-total-bytes': String(content.length),
    })
  })
}
