import { openSession, type SessionOptions } from '../../../src/mcp/session/session.ts'
import type { McpSession } from '../../../src/mcp/session/types.ts'
import { openGatewayLine, type RecordingJournal } from '../gateway/recording-journal.ts'

export interface OpenedSession extends AsyncDisposable {
  session: McpSession
  journal: RecordingJournal
  /** Calls a tool with a signal of its own, or the one given. */
  call(
    tool?: string,
    args?: Record<string, unknown>,
    options?: { toolCallId?: string; signal?: AbortSignal },
  ): ReturnType<McpSession['call']>
}

export interface SessionSettings extends Partial<Omit<SessionOptions, 'fetch'>> {
  maxResponseBytes?: number
  signal?: AbortSignal
}

/** A session with a server, through the gateway's own fetch. */
export async function connect(
  url: string,
  { maxResponseBytes = 1_048_576, signal, ...options }: SessionSettings = {},
): Promise<OpenedSession> {
  await using building = new AsyncDisposableStack()
  const { fetch, journal } = building.use(openGatewayLine({ maxResponseBytes }))
  const session = await openSession(
    { server: 'scripted', url, fetch, maxRequestBytes: 4096, timeoutMs: 20_000, maxResponseBytes, redact: (text) => text, ...options },
    signal ?? new AbortController().signal,
  )
  building.defer(() => session.close())
  const stack = building.move()
  return {
    session,
    journal,
    call: (tool = 'act', args = {}, { toolCallId = 'call-1', signal: own = new AbortController().signal } = {}) =>
      session.call(tool, JSON.stringify(args), { toolCallId, repeatable: false, written: Promise.resolve(), signal: own }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
