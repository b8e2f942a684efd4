import { z } from 'zod'
import { durationText } from '../../lib/duration.ts'
import { nameText } from '../../lib/name.ts'
import { nearest } from '../../lib/near.ts'
import { matchesWildcard } from '../../lib/wildcard.ts'

const serverSchema = z
  .strictObject(
    {
      allow: z
        .array(z.string().min(1))
        .min(1, 'is empty; name the tools that the job may call, as in [query], or take the server out')
        .describe('Tools of this server that the job may call; * stands for any text, as in get_*. Nothing else is shown to the model.'),
      repeatable: z
        .array(z.string())
        .default([])
        .describe('Tools among them that may run twice without harm. Any other whose outcome is unknown stops the run.'),
      required: z
        .boolean()
        .default(true)
        .describe('The run fails before it spends a token when the server or one of the tools is not there.'),
      minCalls: z
        .int()
        .min(0)
        .max(1000)
        .optional()
        .describe(
          'Fewest successful calls to this server without which the run is not green. Where no server says a number, one call to any of the required servers is needed; 0 takes this one out.',
        ),
      allowPartial: z
        .boolean()
        .default(false)
        .describe(
          'A result that says that there is more is enough. Without it, a run that reads nothing after such a result is not green.',
        ),
      notes: z.string().min(1).optional().describe('Your own hints on this server, told to the model beside its tools.'),
      instructions: z
        .string()
        .min(1)
        .default('pass')
        .describe('What the server says of itself: pass it on to the model, drop it, or a text of your own in its place.'),
      results: z
        .enum(['auto', 'text', 'structured', 'both'])
        .default('auto')
        .describe(
          'Which part of a result the model is given: text, structured content, both; auto adds the structure when the text does not hold it.',
        ),
      resources: z
        .array(z.string().min(1))
        .default([])
        .describe('URIs of resources that the model may read beside those that a result of the run names; * stands for any text.'),
      timeout: durationText('1s').optional().describe('Longest time for a call to this server. Without it, limits.call.'),
    },
    { error: ({ code }) => (code === 'invalid_type' ? 'must be a mapping, such as { allow: [query] }' : undefined) },
  )
  .superRefine(({ allow, repeatable }, context) => {
    for (const tool of repeatable) {
      if (!allow.some((pattern) => matchesWildcard(pattern, tool)))
        context.addIssue({
          code: 'custom',
          path: ['repeatable'],
          message: `names ${tool}, which is not under allow; ${meant(tool, allow) ?? 'add it there or take it out here'}`,
        })
    }
  })

function meant(tool: string, allow: readonly string[]): string | undefined {
  const near = nearest(tool, allow)
  return near && `did you mean ${near}?`
}

export const toolsSchema = z
  .record(nameText, serverSchema, {
    error: ({ code }) => (code === 'invalid_type' ? 'must be a mapping of servers, such as { labor: { allow: [query] } }' : undefined),
  })
  .refine((tools) => Object.keys(tools).length > 0, 'is empty; name at least one server')
