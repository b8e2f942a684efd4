import { z } from '@hono/zod-openapi'
import { MAX_TAGS, parseTag, TAG_NAME, TAG_VALUE, tagFault } from '../../core/run.ts'

const valueSchema = z.string().regex(TAG_VALUE, 'must be one line of 1 to 100 characters')

/** Tags as they are sent. */
export const tagsSchema = z
  .record(z.string().regex(TAG_NAME), valueSchema)
  .superRefine((tags, context) => {
    if (Object.keys(tags).length > MAX_TAGS) context.addIssue({ code: 'custom', message: `may be ${MAX_TAGS} at most` })
    for (const [name, value] of Object.entries(tags)) {
      const fault = tagFault(name, value)
      if (fault !== undefined) context.addIssue({ code: 'custom', path: [name], message: fault })
    }
  })
  .openapi('Tags', { description: `Names and values of your own, at most ${MAX_TAGS}, to find runs by.` })

/** Tags of a query: `tag=team=billing`, named again for another one. */
export const tagQuerySchema = z
  .union([z.string(), z.array(z.string())])
  .transform((given, context) => {
    const pairs = [given].flat().map((text) => parseTag(text))
    const known = pairs.flatMap((pair) => (pair && tagFault(...pair) === undefined ? [pair] : []))
    if (known.length < pairs.length || known.length > MAX_TAGS) {
      context.addIssue({ code: 'custom', message: `must be name=value, at most ${MAX_TAGS} times` })
      return z.NEVER
    }
    return Object.fromEntries(known)
  })
  .optional()
  .openapi({ type: 'array', items: { type: 'string' }, description: 'name=value of a tag; named again: with all of them.' })

/** Tags as they are shown. */
export const shownTags = z.record(z.string(), z.string()).describe('What who asked for it calls it by.')
