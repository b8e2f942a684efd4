import type { Context, Env, Hono } from 'hono'
import { Failure } from '../core/failure.ts'
import { problemResponse } from './problem.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Answers where no route is: `METHOD_NOT_ALLOWED` with Allow where there are routes for other methods, else `ADDRESS_UNKNOWN`. */
export const answerNotFound =
  <E extends Env>(app: Hono<E>) =>
  (c: Context): Response => {
    const { method, path } = c.req
    const allowed = METHODS.filter((one) => app.router.match(one, path)[0].some(([[, route]]) => route.method === one))
    if (allowed.length === 0) return problemResponse(new Failure({ code: 'ADDRESS_UNKNOWN', message: 'There is nothing at this address.' }))
    const allow = allowed.flatMap((one) => (one === 'GET' ? [one, 'HEAD'] : [one])).join(', ')
    return problemResponse(new Failure({ code: 'METHOD_NOT_ALLOWED', message: `${method} is not among ${allow}.` }), { headers: { allow } })
  }
