import { Failure, messageOf } from '../../core/failure.ts'
import { decideHostedError, mayAskAgain, mayHaveActed } from '../../core/rules/repeat.ts'
import type { Reason, Usage } from '../../core/run.ts'
import type { Deadline } from '../../lib/time/deadline.ts'
import type { EndedCall, HostedAnswer, HostedEvent } from '../../models/hosted.ts'
import { untilAborted } from '../../lib/net/until-aborted.ts'
import { createLimitWarnings } from '../state.ts'
import { createCallRows } from './calls.ts'
import { endOf } from './ends.ts'
import { callsLeft, type HostedOptions, type KnownCall } from './options.ts'

/** So long an answer that was not cancelled at once is looked at. */
const LAST_LOOK_MS = 5000

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

/** Follows one hosted answer: writes its calls as they begin and end, counts them, and knows what may have run. */
export function createReader(options: HostedOptions, calls: KnownCall[], turn: number) {
  const { journal, servers, limits, hosted, warn } = options
  const names = servers.map(({ name }) => name)
  const rows = createCallRows(options, calls, turn)
  /** The most calls of this answer. */
  const most = callsLeft(options, turn)
  let unauthorized: string | undefined
  /** The provider may have kept the limit of calls without a word. */
  let isLimited = false
  /** The answer is whole: nothing of it is under way. */
  let complete = false
  const warnAt = createLimitWarnings(options)
  const over = () => journal.responseState({ turn, responseId: null, state: 'over' })
  const acted = () => calls.some(mayHaveActed)

  /** That background mode was asked for is not enough: a provider that ignores it ends the answer with the connection. */
  async function started({
    responseId,
    background = reader.background,
  }: {
    responseId: string
    background?: boolean | undefined
  }): Promise<void> {
    // An answer is found by the id that it was found by: some give it another one each time that it is looked at.
    const id = reader.responseId ?? responseId
    const isBackground = reader.background || (hosted.background && background)
    if (reader.responseId === id && reader.background === isBackground) return
    Object.assign(reader, { responseId: id, background: isBackground })
    if (hosted.background && !isBackground)
      warn(`${hosted.model} was to answer in the background, and its provider does not say that it does: its answer cannot be found again.`)
    await journal.responseState({ turn, responseId: id, state: 'started', background: isBackground })
  }

  async function done(call: EndedCall): Promise<void> {
    await rows.begin(call)
    const outcome = await endOf(call.outcome, { ...call, showing: options.showing })
    if (outcome.unauthorized) unauthorized = call.server
    await rows.end(call.id, outcome)
  }

  /** What a whole answer says of its calls, when it is not used otherwise. */
  async function hear({ calls: told }: HostedAnswer): Promise<void> {
    for (const call of told) await done(call)
  }

  /** The provider kept the limit by itself: what it announced after it made so many calls was not made. */
  async function limited(own: Deadline): Promise<void> {
    if (rows.ended() >= most) await rows.refuse()
    own.abort(new Stopped(usedUp()))
  }

  /** Hears all events. Whether the answer is whole by then. */
  async function hearAll(events: AsyncIterable<HostedEvent>, own: Deadline): Promise<boolean> {
    // oxlint-disable-next-line waits/bounded -- the request ends by itself (hosted/client.ts), or with the signal that it was given
    for await (const event of events) {
      const answer = await handle(event, own)
      if (!answer) continue
      await hear(answer)
      return true
    }
    return false
  }

  /** A provider may refuse to cancel what is over, or say that it will: then the answer is looked at until it is whole. */
  async function cancel(own: Deadline): Promise<void> {
    const { responseId } = reader
    if (!reader.background || responseId === undefined) return
    const cancelled = async () => hearAll(await hosted.cancel(responseId, servers), own)
    if (await cancelled().catch(() => false)) return
    await hearAll(await hosted.attach(responseId, servers, AbortSignal.timeout(LAST_LOOK_MS)), own)
  }

  async function handle(event: HostedEvent, own: Deadline): Promise<HostedAnswer | undefined> {
    switch (event.kind) {
      case 'opened':
        reader.requestId = event.requestId
        isLimited = event.isLimited
        return undefined
      case 'used':
        reader.usage = event.usage
        return undefined
      case 'started':
        await started(event)
        return undefined
      case 'call':
        await rows.begin(event.call)
        countCalls(own)
        return undefined
      case 'spoken':
        rows.spoken(event.call)
        return undefined
      case 'ended':
        await done(event.call)
        countCalls(own)
        stopLoop(own)
        return undefined
      case 'answer':
        return event.answer
    }
  }

  function countCalls(own: Deadline): void {
    warnAt({ turns: 0, toolCalls: limits.toolCalls - most + rows.count(), tokens: 0, costUsd: 0 })
    if (rows.count() > most) own.abort(new Stopped(usedUp()))
  }

  const usedUp = (more = ''): Reason => ({ code: 'BUDGET_TOOL_CALLS', message: `All ${limits.toolCalls} tool calls were used.${more}` })

  const passed = () => (rows.made() > most ? usedUp(` The provider began ${limits.toolCalls - most + rows.made()}.`) : undefined)

  function limitReason(): Reason | undefined {
    const isMet = isLimited && most > 0 && rows.made() === most
    return passed() ?? (isMet ? usedUp(' The provider makes no more, and does not say whether the model wanted one.') : undefined)
  }

  /** A model that works at the provider cannot be given notes: its answer is stopped where a local run would get its last turn. */
  function stopLoop(own: Deadline): void {
    const loop = rows.loop()
    if (loop !== undefined) own.abort(new Stopped({ code: 'LOOP_DETECTED', message: loop }))
  }

  /** A server that was ignored, or a question to nobody, is not success whatever the text says. */
  function checkServers({ approvalFor, listed }: HostedAnswer): void {
    if (approvalFor !== undefined) {
      throw new Failure({
        code: 'APPROVAL_ASKED',
        message: `The provider asked for approval of ${approvalFor}, although it was told to ask for none.`,
      })
    }
    for (const { name, required } of servers) {
      const list = listed.findLast(({ server }) => server === name)
      if (!required || list?.error === null) continue
      if (!list)
        throw new Failure({ code: 'MODEL_IGNORED_TOOLS', message: `The provider did not look at the server ${name}.`, server: name })
      throw new Failure({
        code: 'UPSTREAM_UNAVAILABLE',
        message: `The provider could not list the tools of ${name}: ${options.showing.redact(list.error ?? '')}.`,
        server: name,
      })
    }
  }

  const reader = {
    responseId: undefined as string | undefined,
    /** The provider's id of the HTTP request whose answer is read, or was read last. */
    requestId: null as string | null,
    /** What the provider said last that the answer used. */
    usage: undefined as Usage | undefined,
    /** The answer goes on without us, as the provider said. */
    background: false,
    /** The answer goes on without us and can be attached to by its id. */
    canAttach: () => reader.background && reader.responseId !== undefined,
    /** Asking again repeats nothing that must not be repeated. */
    mayRepeat: mayAskAgain(servers),

    /**
     * Reads a stream to its last event; undefined when it ends without one, or breaks while the answer goes on in the background. When `own` ends, what came until then is
     * read, and its reason is thrown.
     */
    async read(events: AsyncIterable<HostedEvent>, own: Deadline): Promise<HostedAnswer | undefined> {
      try {
        // oxlint-disable-next-line waits/bounded -- the request that gave it ends with its signal
        for await (const event of untilAborted(events, own.signal)) {
          const answer = await handle(event, own)
          if (answer && !own.signal.aborted) return answer
          if (answer) await hear(answer)
        }
      } catch (error) {
        if (hosted.classifyError(error, names).kind === 'limit') await limited(own)
        if (own.signal.aborted || error instanceof Failure || !reader.canAttach()) throw error
      }
      return undefined
    },

    /** Checks a whole answer, and that each call in it has an end. Throws what makes it worthless. */
    async finish(answer: HostedAnswer): Promise<void> {
      complete = true
      for (const call of answer.calls) await done(call)
      await rows.abandon('has no result in the answer', true)
      answer.turn()
      checkServers(answer)
      if (unauthorized === undefined) return
      const failure = await options.explain401(unauthorized)
      if (!acted()) throw failure
      for (const call of calls) if (call.status === 'not_run' && call.server === unauthorized) call.failure = failure.toJSON()
    },

    /** Ends the answer at the provider, as far as it lets us, and writes what is known of it then. What it used, where that is said. */
    async stop(own: Deadline): Promise<Usage | undefined> {
      await cancel(own).catch(() => {})
      await rows.abandon('was under way when the answer was stopped', false).catch(() => {})
      await over().catch(() => {})
      return reader.usage
    },

    /** Why the model has to answer now, with what the provider did until it was stopped. */
    reasonOf: ({ reason }: Stopped): Reason => (reason.code === 'BUDGET_TOOL_CALLS' ? (passed() ?? reason) : reason),

    /** The limit that a whole answer passed, or met at a provider that makes no call more and does not say whether one was wanted. */
    limitReason,

    /** Leaves the answer to the next attempt where it can be found again; else nobody will see the end of its calls. */
    async leave(): Promise<void> {
      if (!reader.canAttach()) await rows.abandon('was under way when its worker stopped', false).catch(() => {})
    },

    /** What an error of the answer means for the run, by what may have run. Writes what is known of the answer then. */
    async classifyError(error: unknown): Promise<Failure> {
      if (error instanceof Failure && error.code === 'WORKER_LOST') return error
      const failure = await judge(error)
      const requestId = failure.requestId ?? reader.requestId ?? undefined
      return new Failure({ ...failure.toJSON(), requestId, cause: failure.cause })
    },
  }

  async function judge(error: unknown): Promise<Failure> {
    const said = hosted.classifyError(error, names)
    // An answer that has an id did begin, whatever is said of it now.
    const neverBegan = reader.responseId === undefined && (said.kind === 'never-began' || said.kind === 'gone')
    // A provider that says so ends the answer, as it does with its last event; a connection that breaks ends nothing.
    const isEnded = complete || (said.kind === 'said' && !rows.isUnderWay())
    const isOver = said.kind === 'listing' || isEnded || neverBegan
    if (!isOver) await rows.abandon('was under way when the answer was lost', false)
    const gone = said.kind === 'gone' && reader.responseId !== undefined
    const failure = await named(error, said, gone)
    const verdict = decideHostedError({
      isOver,
      canAttach: reader.canAttach() && !gone,
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
