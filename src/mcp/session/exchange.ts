import { AsyncLocalStorage } from 'node:async_hooks'
import { startGrace } from '../../lib/time/grace.ts'
import { lostAnswer } from './failures.ts'

// The life of one tool call. A failure at any step takes the road back up, and a call that was handed to the gateway is then OUTCOME_UNKNOWN.
//
//   call.ts            journals the call          ─┐ not awaited
//   session.ts  call   request('tools/call')       │
//   exchange.ts run    scope, own signals, grace   │
//   SDK                JSON-RPC message, id        │
//   fetch.ts           size, session, headers      │
//   pomerium/fetch.ts  journals the request, waits ┴ until both rows are durable, sends, classifies the response
//   stream.ts          reads the event stream to its end; a cut one is resumed by the SDK through fetch.ts
//   SDK                finds the message with the id
//   session.ts  call   a result, or the server's JSON-RPC error
//
// A comment that begins with "SDK:" names what the SDK does that the code beside it works around.

/** What a request of the SDK is for. */
export interface RequestPurpose {
  /** The caller's signal: when it ends, so do the request and its HTTP exchange. */
  signal: AbortSignal
  /** Set for a tool call alone: it may have effects. */
  tool?: string
  /** The job says that the call may be made twice without harm. */
  repeatable?: boolean
  /** JSON text of the arguments of a tool call. */
  arguments?: string
  /** Set for what the model asked for: a tool call, or a resource that is read. */
  toolCallId?: string
  /** Awaited before a byte is sent. */
  written?: Promise<void>
  /** What its answers weigh in all; shared by the pages of a list. */
  received?: { bytes: number }
}

/** One request under way: what the fetch and the stream know of the request they serve. */
export interface RequestScope extends Omit<RequestPurpose, 'signal'> {
  /** Ends the HTTP exchange. */
  signal: AbortSignal
  /** The caller still waits for the answer. */
  isPending: () => boolean
  /** Id of the last event of its stream that had one: from there the SDK can resume. */
  eventId: string | undefined
  /** Streams that were opened since that event and brought none; -1 before the first. */
  emptyResumes: number
  /** Streams that were opened to go on after a cut. */
  resumes: number
  /** Requests of the server's own that came with the answer. */
  asks: number
  received: { bytes: number }
  /** The SDK sends a request or a notification: it has read the response before, if there was one. */
  began(): void
  /** A response has ended: the SDK gives its result soon, or never. */
  ended(): void
  /** The request can have no answer any more. */
  failed(error: unknown): void
}

/** What the SDK is given for one request. */
export interface RequestOptions {
  signal: AbortSignal
  onresumptiontoken: (eventId: string) => void
}

/** The response of a request has ended and its result has not come out of the SDK within this time: it never will. */
const ANSWER_GRACE_MS = 1000

/**
 * The requests of one session. Each has an HTTP exchange of its own that ends with it, and each fetch finds the request that caused it, however many are under way:
 * the scope travels with the SDK's own calls.
 */
export interface Exchanges {
  /** The request that this code runs for. */
  current(): RequestScope | undefined
  /** Does one request through the SDK. Rejects with the error given to `failed`, or with the SDK's own. */
  run<T>(purpose: RequestPurpose, work: (options: RequestOptions) => Promise<T>): Promise<T>
}

export function createExchanges(server: string): Exchanges {
  const scopes = new AsyncLocalStorage<RequestScope>()

  function run<T>(purpose: RequestPurpose, work: (options: RequestOptions) => Promise<T>): Promise<T> {
    // SDK: it leaves an abort listener on the signal for each finished request (measured), so each request gets a controller of its own.
    const request = new AbortController()
    // SDK: a time-out or an abort leaves the HTTP exchange open (measured), so it is ended here.
    const exchange = new AbortController()
    // SDK: it tells the server of an abort with a notification. Sent outside of the scope, that is no request of the call that it ends.
    const end = (reason: unknown) => scopes.exit(() => request.abort(reason))
    const follow = () => end(purpose.signal.reason)
    purpose.signal.addEventListener('abort', follow, { once: true })
    if (purpose.signal.aborted) follow()
    let endGrace = () => {}
    let pending = true
    // oxlint-disable-next-line waits/bounded -- the purpose's signal ends it, and the time-out that session.ts gives the SDK
    return new Promise<T>((done, fail) => {
      const scope: RequestScope = {
        ...purpose,
        signal: exchange.signal,
        isPending: () => pending,
        eventId: undefined,
        emptyResumes: -1,
        resumes: 0,
        asks: 0,
        received: purpose.received ?? { bytes: 0 },
        began: () => endGrace(),
        // SDK: a request whose stream ends without its result hangs until its time-out (measured).
        ended() {
          endGrace()
          if (!pending) return
          endGrace = startGrace(ANSWER_GRACE_MS, () => {
            if (scope.eventId === undefined) scope.failed(lostAnswer(server, purpose.tool, 'was answered without its result'))
          })
        },
        failed(error) {
          fail(error)
          end(error)
        },
      }
      const onresumptiontoken = (eventId: string) => {
        scope.eventId = eventId
        scope.emptyResumes = -1
      }
      scopes
        .run(scope, () => work({ signal: request.signal, onresumptiontoken }))
        .then(done, (error: unknown) => {
          fail(error)
          exchange.abort(error)
        })
        .finally(() => {
          endGrace()
          pending = false
          purpose.signal.removeEventListener('abort', follow)
        })
    })
  }

  return { current: () => scopes.getStore(), run }
}
