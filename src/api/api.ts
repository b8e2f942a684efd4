// The API under /v1: who calls, what a body may be, the routes, and the document that describes them.
import { OpenAPIHono } from '@hono/zod-openapi'
import { checkBody, limitBody } from '../http/body.ts'
import type { Authenticate } from '../http/identity.ts'
import { answerProblem, invalidRequest } from '../http/problem.ts'
import { createOpenAnswers } from '../http/open-answers.ts'
import { createRunIntake } from '../runs/intake.ts'
import { createRunStates } from '../runs/follow/states.ts'
import type { AddRoutes, ApiContext, ApiEnv } from './context.ts'
import { addDocument } from './document.ts'
import { addActs } from './routes/acts.ts'
import { addBatch, BATCH_PATH } from './routes/batch.ts'
import { addEvents } from './routes/events.ts'
import { addJobs } from './routes/jobs.ts'
import { addNewRuns } from './routes/new-runs.ts'
import { addReports } from './routes/reports.ts'
import { addRunChanges } from './routes/run-changes.ts'
import { addResults } from './routes/results.ts'
import { addRuns } from './routes/runs.ts'
import { addSchedules } from './routes/schedules.ts'
import { addSpend } from './routes/spend.ts'
import { addStatus } from './routes/status.ts'

const ROUTES: readonly AddRoutes[] = [
  addNewRuns,
  addBatch,
  addRuns,
  addResults,
  addReports,
  addRunChanges,
  addEvents,
  addJobs,
  addSchedules,
  addActs,
  addSpend,
  addStatus,
]

/** Streams and waiting requests that are open at a time in this process. */
const MAX_OPEN = 500
const MAX_OPEN_PER_CALLER = 200

/** All routes of the API, each for callers that `authenticate` knows, and /openapi.json for anybody. */
export function createApi(context: ApiContext, authenticate: Authenticate): OpenAPIHono<ApiEnv> {
  const api = new OpenAPIHono<ApiEnv>({ defaultHook: invalidRequest })
  api.onError(answerProblem(context.log))
  api.use('/v1/*', async (c, next) => {
    c.set('caller', await authenticate(c.req.raw.headers))
    return next()
  })
  api.use('/v1/*', limitBody([BATCH_PATH]), checkBody)
  const shared = {
    ...context,
    states: createRunStates(context.db),
    intake: createRunIntake(context),
    openAnswers: createOpenAnswers({ total: MAX_OPEN, perCaller: MAX_OPEN_PER_CALLER }),
  }
  for (const add of ROUTES) add(api, shared)
  addDocument(api)
  return api
}
