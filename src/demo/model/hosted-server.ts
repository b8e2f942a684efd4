import type { IncomingMessage, ServerResponse } from 'node:http'
import { hostedRequestSchema, startHostedAnswer, type HostedAnswer, type HostedDeps } from './hosted.ts'
import { createMcpReach, ListingError, type Reach } from './mcp.ts'
import type { Step } from './script.ts'
import { sendFault, sendJson, type Fail } from './send.ts'
import { turnOf } from './turn-of.ts'
import type { Meter } from './size/meter.ts'
import { OPENAI_HABITS, type Habits } from './vendors/habits.ts'

/** Steps that say something only of a model that calls the servers itself. */
export const HOSTED_ONLY = new Set<Step['kind']>(['ignore', 'approve', 'errors-as-text', 'pause'])

export type HostedScript = Pick<HostedDeps, 'steps' | 'take' | 'decide'>

export interface HostedServerOptions {
  reach?: Reach
  meter: Meter
  habits?: Habits
  validate?: (schema: 'ResponseStreamEvent', value: unknown) => void
}

/** Requests in which the provider calls the servers itself, and the background answers that it keeps. */
export function createHostedServer({ reach: way, meter, habits = OPENAI_HABITS, validate }: HostedServerOptions) {
  const reach = createMcpReach(way)
  const answers = new Map<string, HostedAnswer>()
  /** All that were begun: some go on without a reader. */
  const begun = new Set<HostedAnswer>()

  async function sendEvents(res: ServerResponse, answer: HostedAnswer, reader: { after: number; first: boolean }): Promise<void> {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    for await (const event of answer.events(reader)) {
      if (event === 'cut') return void res.socket?.resetAndDestroy()
      if (event === 'silent') break
      // What other vendors send is not held to the schema that OpenAI publishes.
      if (habits === OPENAI_HABITS) validate?.('ResponseStreamEvent', event)
      res.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    }
    res.end()
  }

  return {
    async serve(res: ServerResponse, body: unknown, script: HostedScript, fail: Fail): Promise<void> {
      const asked = hostedRequestSchema.parse(body)
      const { steps, take } = script
      if (habits.mostCalls === 'unknown-field' && asked.max_tool_calls !== undefined)
        return sendJson(res, 400, {
          error: { message: "Unknown parameter: 'max_tool_calls'.", type: 'invalid_request_error', param: 'max_tool_calls', code: 'unknown_parameter' }, // prettier-ignore
        })
      if (habits.background === 'polled' && asked.background === true && asked.stream === true)
        return sendJson(res, 400, { detail: "'stream' and 'background' are not yet supported together." })
      if (
        habits.token === 'authorization' &&
        asked.tools.some(({ headers }) => Object.keys(headers).some((name) => name.toLowerCase() === 'authorization'))
      )
        return sendJson(res, 400, { detail: "Authorization credentials must be passed via the 'authorization' parameter, not 'headers'." })
      for (const step of steps) {
        if (step.kind === 'fault' && take(step)) return sendFault(res, step.fault, fail)
        if (step.kind !== 'fault' && step.kind !== 'wait' && !HOSTED_ONLY.has(step.kind)) break
      }
      const request = habits.background === 'ignored' ? { ...asked, background: false } : asked
      let answer: HostedAnswer
      try {
        answer = await startHostedAnswer(request, {
          ...script,
          reach,
          habits,
          counted: meter.count(asked),
          turnOf: (step, results) => turnOf(step, results, false),
        })
      } catch (error) {
        if (!(error instanceof ListingError)) throw error
        const status =
          error.status === undefined ? '' : ` Http status code: ${error.status}${error.status === 401 ? ' (Unauthorized)' : ''}`
        const message = `Error retrieving tool list from MCP server: '${error.label}'.${status}`
        return sendJson(res, 424, { error: { type: 'external_connector_error', code: 'http_error', param: 'tools', message } })
      }
      begun.add(answer)
      if (request.background === true) answers.set(answer.id, answer)
      // Without background mode, an answer that nobody reads is ended.
      else if (!habits.goesOn) res.once('close', () => answer.cancel())
      if (request.stream === true) return sendEvents(res, answer, { after: -1, first: true })
      if (request.background !== true) await answer.done
      sendJson(res, 200, answer.response())
    },

    /** An answer that was asked for in the background: looked at, read again, or cancelled. False for an address that is no such answer's. */
    async serveKept(req: IncomingMessage, res: ServerResponse, fail: Fail): Promise<boolean> {
      const path = /^\/v1\/responses\/(resp_\w+)(\/cancel)?(?:\?|$)/.exec(req.url ?? '')
      if (!path) return false
      const [, id = '', cancel] = path
      const answer = answers.get(id)
      if (!answer) fail(404, 'not_found', `Response with id '${id}' not found.`)
      else await serveAnswer(req, res, fail, answer, cancel !== undefined)
      return true
    },

    async close(): Promise<void> {
      for (const answer of begun) answer.cancel()
      await reach.close()
    },
  }

  async function serveAnswer(req: IncomingMessage, res: ServerResponse, fail: Fail, answer: HostedAnswer, cancel: boolean): Promise<void> {
    const { searchParams } = new URL(req.url ?? '', 'http://model')
    if (cancel) {
      answer.cancel()
      await answer.done
    } else if (searchParams.get('stream') === 'true') {
      if (habits.background === 'polled') return fail(400, 'stream_unavailable', 'This answer cannot be streamed.')
      return sendEvents(res, answer, { after: Number(searchParams.get('starting_after') ?? -1), first: false })
    }
    sendJson(res, 200, answer.response())
  }
}
