import { z } from '@hono/zod-openapi'
import { MAX_TAGS, parseTag, TAG_VALUE, tagFault, type Tags } from '../../core/run.ts'

/** Tags as they are sent. Names are looked at before anything is made of them: an object would lose one such as `__proto__`. */
export const tagsSchema = z
  .unknown()
  .transform((given, context): Tags => {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      context.addIssue({ code: 'custom', message: 'must be an object of names and values' })
      return z.NEVER
    }
    const tags = Object.entries(given)
    if (tags.length > MAX_TAGS) context.addIssue({ code: 'custom', message: `may be ${MAX_TAGS} at most` })
    for (const [name, value] of tags) {
      const fault = typeof value === 'string' ? tagFault(name, value) : 'a value is a text'
      if (fault !== undefined) context.addIssue({ code: 'custom', path: [name], message: fault })
    }
    return Object.fromEntries(tags)
  })
  .openapi('Tags', {
    type: 'object',
    additionalProperties: { type: 'string', pattern: TAG_VALUE.source },
    maxProperties: MAX_TAGS,
    description: `Names and values of your own, at most ${MAX_TAGS}, to find runs by. A name is a letter, and at most 39 letters, digits, _ . - behind it; a value is one line of 1 to 100 characters.`,
  })

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
