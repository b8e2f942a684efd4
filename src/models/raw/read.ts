import { APIError } from 'openai'
import { _iterSSEMessages as messagesIn } from 'openai/core/streaming'
import { parseBounded } from '../../lib/json/bounded.ts'
import { errorIn, isPage, WebPage } from '../errors/body.ts'
import { fieldsIn } from '../foreign.ts'

/** An answer as it came, which is not always the way in which it was asked for. */
export type Came = { requestId: string | null } & ({ kind: 'whole'; answer: unknown } | { kind: 'events'; events: AsyncIterable<unknown> })

/**
 * Reads the body of an answer with a status of success: events, or one JSON value. Its type says which; without one that does, what it begins with. Throws what stands there
 * in place of an answer: an error, or a `WebPage`.
 */
export async function readAnswer(response: Response): Promise<Came> {
  const requestId = response.headers.get('x-request-id')
  const contentType = response.headers.get('content-type')
  if (/^text\/event-stream\b/i.test(contentType ?? '')) return { kind: 'events', requestId, events: eventsOf(response) }
  const text = await response.text()
  if (isPage(text, contentType)) throw new WebPage('a web page')
  if (/^\s*[{[]/.test(text)) {
    const answer = parseBounded(text)
    const error = errorOf(answer)
    if (error) throw new APIError(undefined, error, undefined, response.headers)
    return { kind: 'whole', requestId, answer }
  }
  if (text.trim() === '') throw new Error('the answer is empty')
  return { kind: 'events', requestId, events: eventsOf(new Response(text, { headers: response.headers })) }
}

/** What is sent to keep a connection alive, or ends the events. */
const NOTHING = ''
const END = '[DONE]'

/** The events of a stream. Throws the error that one tells of. A stream that was aborted ends: whoever aborted it knows. */
async function* eventsOf(response: Response): AsyncGenerator {
  try {
    // oxlint-disable-next-line waits/bounded -- the provider's connections bound its silence, and the signal of the request ends it
    for await (const { event, data } of messagesIn(response, new AbortController())) {
      const text = data.trim()
      if (text === NOTHING) continue
      if (text.startsWith(END)) return
      const told = parseBounded(text)
      const error = event === 'error' ? (errorIn(told) ?? {}) : errorIn({ error: fieldsIn(told)['error'] })
      if (error) throw new APIError(undefined, error, undefined, response.headers)
      yield told
    }
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'AbortError') throw error
  }
}

/** The error in an answer, or in place of one. */
function errorOf(answer: unknown): object | undefined {
  const { error, choices, output } = fieldsIn(answer)
  return choices === undefined && output === undefined ? errorIn(answer) : errorIn({ error })
}
