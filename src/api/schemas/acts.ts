import { z } from '@hono/zod-openapi'
import { ACTS, VIAS, type ActView } from '../../core/acts.ts'
import { ROLES } from '../../core/caller.ts'
import { anyJson, moment, queryNumber, text, time } from './common.ts'

/** What an act is, in the list of all and on its runs. */
export const actFields = {
  id: z.string().describe('Of the act: one request or command, however many runs it changed.'),
  at: time,
  act: z.enum(ACTS),
  by: z.string().describe('A user, token:NAME, the user of a command line, or nightshift.'),
  role: z.enum(ROLES).nullable().describe('The role that allowed it; null at the command line.'),
  via: z.enum(VIAS),
  origin: z.string().nullable().describe('The address of the connection, or the host of the command.'),
  requestId: z.string().nullable().describe('X-Request-Id of the request.'),
  reason: z.string().nullable(),
}

export const actSchema = z
  .object({
    ...actFields,
    jobs: z.array(z.string()).describe('The jobs that it was about, or whose runs it changed; *: all.'),
    detail: z.record(z.string(), anyJson).describe('What was said with it, such as the filter of the runs.'),
    runs: z.int().describe('How many runs it changed.'),
  })
  .openapi('Act')

/** The schema says the same as the type. */
export const describeAct = (act: ActView): ActView extends z.input<typeof actSchema> ? ActView : never => act

const MAX_PAGE = 500
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export const actQuerySchema = z.strictObject({
  job: text.max(100).optional().describe('Done to this job and its runs, and to all jobs.'),
  run: text.max(100).optional().describe('Done to this run.'),
  by: text.max(320).optional(),
  since: moment.optional(),
  until: moment.optional(),
  limit: queryNumber(1, MAX_PAGE).default(50),
  cursor: z.string().regex(ID, 'is no cursor of this list').optional().describe('nextCursor of the page before.'),
})
