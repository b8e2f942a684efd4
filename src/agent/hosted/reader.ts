import { v5 as uuidv5 } from 'uuid'
import { Failure, messageOf } from '../../core/failure.ts'
import { decideHostedError, mayAskAgain, mayHaveActed } from '../../core/rules/repeat.ts'
import { createLoopWatch } from '../../core/rules/loops.ts'
import type { Reason } from '../../core/run.ts'
import type { Deadline } from '../../lib/time/deadline.ts'
import type { EndedCall, HostedAnswer, HostedCall, HostedEvent } from '../../models/hosted.ts'
import { createLimitWarnings } from '../state.ts'
import { endOf, unknownEnd, type HostedEnd } from './ends.ts'
import type { HostedOptions, KnownCall } from './options.ts'
import { parseKept, tryParse } from '../../lib/json/parse.ts'

/** Why an answer under way was stopped by us. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
  readonly reason: Reason

  constructor(reason: Reason) {
    super(reason.message)
    this.reason = reason
  }
}

export type Reader = ReturnType<typeof createReader>

/** A run's calls have the same row ids however often their events are read. */
const CALL_NAMESPACE = '3d5f2a52-7f0c-4b43-9c4e-6b1df5e8a1c7'

/** A call of the answer. What was not written yet, since the store did not answer, is written when the call is met again. */
interface BegunCall {
  call: KnownCall
  id: string
  at: number
  position: number
  isKept: boolean
  /** Undefined while it is under way. */
  end: HostedEnd | undefined
  isEndKept: boolean
}

/** Follows one hosted answer: writes its calls as they begin and end, counts them, and knows what may have run. */
export function createReader(options: HostedOptions, calls: KnownCall[], turn: number) {
  const { journal, servers, limits, hosted } = options
  const names = servers.map(({ name }) => name)
  const began = new Map<string, BegunCall>()
  const announced = new Map<string, HostedCall>()
  let unauthorized: string | undefined
  /** The answer is whole: nothing of it is under way. */
  let complete = false
  const warnAt = createLimitWarnings(options)
  const loops = createLoopWatch()
  const over = () => journal.responseState({ turn, responseId: null, state: 'over' })
  const acted = () => calls.some(mayHaveActed)

  async function begin({ id: callId, server, tool, arguments: args, position }: HostedCall): Promise<void> {
    const known = began.get(callId)
    if (known) return keep(known)
    const repeatable = servers.find(({ name }) => name === server)?.repeatable.includes(tool) ?? false
    const call: KnownCall = {
      callId,
      server,
      tool,
      arguments: tryParse(args, parseKept) ?? args,
      repeatable,
      status: 'sent',
      text: '',
      truncated: false,
      failure: null,
    }
    const id = uuidv5(`${options.runId} ${callId}`, CALL_NAMESPACE)
    const one: BegunCall = { call, id, at: performance.now(), position, isKept: false, end: undefined, isEndKept: false }
    began.set(callId, one)
    calls.push(call)
    await keep(one)
  }

  async function keep(one: BegunCall): Promise<void> {
    if (one.isKept) return
    const { callId, server, tool, arguments: args, repeatable } = one.call
    await journal.toolCall({ id: one.id, turn, position: one.position, callId, server, tool, arguments: args, repeatable })
    one.isKept = true
  }

  async function end(callId: string, told: HostedEnd): Promise<void> {
    const known = began.get(callId)
    if (!known || known.isEndKept) return
    const { status, text, truncated, failure } = (known.end ??= told)
    const { call, id, at } = known
    Object.assign(call, { status, text, truncated, failure })
    await keep(known)
    await journal.toolCallEnd({ id, status, result: { text, truncated }, failure, durationMs: performance.now() - at })
    known.isEndKept = true
    const watched = { tool: `${call.server} ${call.tool}`, arguments: JSON.stringify(call.arguments) }
    loops.note(watched, { text, failed: status !== 'ok', mistake: false, wrote: !call.repeatable && status !== 'error' })
  }

  async function done(call: EndedCall): Promise<void> {
    await begin(call)
    const outcome = endOf(call.outcome, { ...call, resultBytes: options.resultBytes, redact: options.redact })
    if (outcome.unauthorized) unauthorized = call.server
    await end(call.id, outcome)
  }

  async function handle(event: HostedEvent, own: Deadline): Promise<HostedAnswer | undefined> {
    switch (event.kind) {
      case 'started':
        reader.responseId = event.responseId
        await journal.responseState({ turn, responseId: event.responseId, state: 'started' })
        return undefined
      case 'announced':
        announced.set(event.call.id, event.call)
        warnAt({ turns: 0, toolCalls: announced.size, tokens: 0, costUsd: 0 })
        if (announced.size > limits.toolCalls)
          own.abort(new Stopped({ code: 'BUDGET_TOOL_CALLS', message: `All ${limits.toolCalls} tool calls were used.` }))
        return undefined
      case 'arguments': {
        const known = announced.get(event.callId)
        if (known) await begin({ ...known, arguments: event.arguments })
        return undefined
      }
      case 'ended':
        await done(event.call)
        stopLoop(own)
        return undefined
      case 'answer':
        return event.answer
    }
  }

  /** A model that works at the provider cannot be given notes: its answer is stopped where a local run would get its last turn. */
  function stopLoop(own: Deadline): void {
    const loop = loops.reason()
    if (loop !== undefined) own.abort(new Stopped({ code: 'LOOP_DETECTED', message: loop }))
  }

  /** A server that was ignored, or a question to nobody, is not success whatever the text says. */
  function checkServers({ approvalFor, listed }: HostedAnswer): void {
    if (approvalFor !== undefined) {
      throw new Failure({
        code: 'MODEL_REJECTED',
        message: `The provider asked for approval of ${approvalFor}, although it was told to ask for none.`,
        cure: 'Use a provider that honours require_approval: never, or delegate: local.',
      })
    }
    for (const { name, required } of servers) {
      const list = listed.findLast(({ server }) => server === name)
      if (!required || list?.error === null) continue
      if (!list)
        throw new Failure({ code: 'MODEL_IGNORED_TOOLS', message: `The provider did not look at the server ${name}.`, server: name })
      throw new Failure({
        code: 'UPSTREAM_UNAVAILABLE',
        message: `The provider could not list the tools of ${name}: ${options.redact(list.error ?? '')}.`,
        server: name,
      })
    }
  }

  const reader = {
    responseId: undefined as string | undefined,
    /** Asking again repeats nothing that must not be repeated. */
    mayRepeat: mayAskAgain(servers),

    /** Reads a stream to its last event; undefined when it ends without one, or breaks while the answer goes on in the background. */
    async read(events: AsyncIterable<HostedEvent>, own: Deadline): Promise<HostedAnswer | undefined> {
      try {
        // oxlint-disable-next-line waits/bounded -- the request that gave it ends with its signal
        for await (const event of events) {
          const answer = await handle(event, own)
          if (answer) return answer
          own.signal.throwIfAborted()
        }
      } catch (error) {
        if (own.signal.aborted || error instanceof Failure || !hosted.background || reader.responseId === undefined) throw error
      }
      own.signal.throwIfAborted()
      return undefined
    },

    /** Checks a whole answer, and that each call in it has an end. Throws what makes it worthless. */
    async finish(answer: HostedAnswer): Promise<void> {
      complete = true
      for (const call of answer.calls) await done(call)
      await reader.abandon('has no result in the answer')
      answer.turn()
      checkServers(answer)
      if (unauthorized === undefined) return
      const failure = await options.explain401(unauthorized)
      if (!acted()) throw failure
      for (const call of calls) if (call.status === 'not_run' && call.server === unauthorized) call.failure = failure.toJSON()
    },

    /** Nobody will tell the end of the calls under way. */
    async abandon(why: string): Promise<void> {
      for (const [callId, { call }] of began) await end(callId, unknownEnd(call.tool, call.server, why))
    },

    /** Ends the answer at the provider, as far as it lets us. */
    async stop(): Promise<void> {
      if (hosted.background && reader.responseId !== undefined) await hosted.cancel(reader.responseId).catch(() => {})
      await reader.abandon('was under way when the answer was stopped').catch(() => {})
      await over().catch(() => {})
    },

    /** What an error of the answer means for the run, by what may have run. Writes what is known of the answer then. */
    async classifyError(error: unknown): Promise<Failure> {
      if (error instanceof Failure && error.code === 'WORKER_LOST') return error
      const said = hosted.classifyError(error, names)
      // An answer that has an id did begin, whatever is said of it now.
      const neverBegan = reader.responseId === undefined && (said.kind === 'never-began' || said.kind === 'gone')
      const isOver = said.kind === 'listing' || complete || neverBegan
      if (!isOver) await reader.abandon('was under way when the answer was lost')
      const gone = said.kind === 'gone' && reader.responseId !== undefined
      const failure = await named(error, said, gone)
      const verdict = decideHostedError({
        isOver,
        canAttach: hosted.background && reader.responseId !== undefined && !gone,
        acted: acted(),
        mayAskAgain: reader.mayRepeat,
        canHeal: failure.retry !== 'never',
      })
      switch (verdict) {
        case 'fail':
          await over()
          return failure
        case 'fail-for-good':
          await over()
          return new Failure({
            ...failure.toJSON(),
            retry: 'never',
            cure: 'Tools that are not repeatable have run, so nothing is tried again by itself.',
          })
        case 'leave-open':
          return failure
        case 'unknown':
          return new Failure({
            code: 'OUTCOME_UNKNOWN',
            message: `${failure.message} Tools that are not repeatable may have run.`,
            cause: error,
          })
      }
    },
  }

  async function named(error: unknown, said: ReturnType<typeof hosted.classifyError>, gone: boolean): Promise<Failure> {
    if (said.kind === 'listing') return listingFailure(said, error)
    if (gone)
      return new Failure({
        code: 'MODEL_UNAVAILABLE',
        message: `The provider no longer knows the answer ${reader.responseId}.`,
        cause: error,
      })
    const failure = hosted.nameFailure(error)
    if (failure instanceof Failure) return failure
    return new Failure({ code: 'MODEL_UNAVAILABLE', message: `Model ${hosted.model}: ${messageOf(failure)}.`, cause: failure })
  }

  /** The whole request failed because one server could not be listed. */
  async function listingFailure({ server, status }: { server: string; status: number | undefined }, cause: unknown): Promise<Failure> {
    if (status === 401) return options.explain401(server)
    return new Failure({
      code: 'UPSTREAM_UNAVAILABLE',
      message: `The provider could not list the tools of ${server}${status === undefined ? '' : ` (HTTP ${status})`}.`,
      server,
      cause,
    })
  }

  return reader
}
