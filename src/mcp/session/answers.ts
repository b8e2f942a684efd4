import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { Failure } from '../../core/failure.ts'
import { JsonTooLarge } from '../../lib/json/bounded.ts'
import type { RequestScope } from './exchange.ts'
import { lostAnswer } from './failures.ts'
import type { OpenStreams } from './stream.ts'
import { readMessages, type Asked, type WireMessage } from './wire.ts'

/** Most requests of a server's own during one request of ours: each is answered with a request that carries the token. */
const MAX_ASKS = 100
/** Shortest and longest wait before a stream is resumed, whatever the server says. */
const MIN_RETRY_MS = 100
const MAX_RETRY_MS = 30_000
/** An event id that goes back in a header. */
const PLAIN_ID = /^[\x21-\x7e]{1,1024}$/

export interface AnswerReader {
  /** The answer to a request as the SDK takes it. The scope is told when it is over, and what is wrong with it. */
  read(response: Response, asked: Pick<Asked, 'method' | 'id'>, scope: RequestScope): Promise<Response>
}

export interface AnswerOptions {
  server: string
  streams: OpenStreams
  /** Most bytes of an answer with all that it is resumed from, and of a list over its pages. */
  maxResponseBytes: number
  redact: (text: string) => string
}

/** Reads what a server answers, in whatever type and form it comes: as one JSON text, or as a stream of events that may be cut and resumed. */
export function createAnswerReader({ server, streams, maxResponseBytes, redact }: AnswerOptions): AnswerReader {
  function check(scope: RequestScope, messages: readonly WireMessage[]): void {
    scope.asks += messages.filter(({ kind }) => kind === 'ask').length
    if (scope.asks > MAX_ASKS) throw lostAnswer(server, scope.tool, `sent more than ${MAX_ASKS} requests of its own`)
  }

  function count(scope: RequestScope, bytes: number): void {
    scope.received.bytes += bytes
    if (scope.received.bytes > maxResponseBytes)
      throw new Failure({
        code: 'RESULT_TOO_LARGE',
        message: `${server} answered ${scope.tool === undefined ? 'a request' : `the call of ${scope.tool}`} with more than gateway.maxResponseBytes (${maxResponseBytes}) in all.`,
        server,
      })
  }

  function tooLarge({ message }: JsonTooLarge): Failure {
    return new Failure({ code: 'RESULT_TOO_LARGE', message: `An answer of ${server} ${message}, the most that is read.`, server })
  }

  async function readText(response: Response, asked: Asked, scope: RequestScope): Promise<Response> {
    const text = await response.text()
    count(scope, Buffer.byteLength(text))
    const isStream = /^(?:\ufeff?\s*)(?:data|event|id|retry|):/.test(text.slice(0, 100))
    const messages = isStream ? readEventText(text, asked) : readJson(text, asked, response)
    check(scope, messages)
    scope.ended()
    const headers = new Headers(response.headers)
    headers.set('content-type', 'application/json')
    return new Response(`[${messages.map(({ json }) => json).join(',')}]`, { status: response.status, headers })
  }

  function readJson(text: string, asked: Asked, { headers }: Response): WireMessage[] {
    let messages: WireMessage[]
    try {
      messages = readMessages(text, asked)
    } catch (error) {
      if (error instanceof JsonTooLarge) throw tooLarge(error)
      const type = headers.get('content-type')
      throw new Error(`no JSON, but ${text.trim() === '' ? 'nothing' : redact(type ?? 'text of no type').slice(0, 100)}`, { cause: error })
    }
    if (!messages.some(({ kind }) => kind === 'answer')) throw new Error('JSON without a result or an error')
    return messages
  }

  /** Events that came whole, under another type. */
  function readEventText(text: string, asked: Asked): WireMessage[] {
    const messages: WireMessage[] = []
    const parser = createParser({ onEvent: (event) => void messages.push(...messagesOf(event, asked)) })
    parser.feed(`${lineEnds(text)}\n\n`)
    return messages
  }

  function messagesOf({ event, data }: EventSourceMessage, asked: Asked): WireMessage[] {
    if (data === '' || (event !== undefined && event !== 'message')) return []
    try {
      return readMessages(data, asked)
    } catch (error) {
      if (error instanceof JsonTooLarge) throw tooLarge(error)
      return []
    }
  }

  function readStream(response: Response, body: ReadableStream<Uint8Array>, asked: Asked, scope: RequestScope): Response {
    const written: string[] = []
    let isLast = false
    const parser = createParser({
      onEvent(event) {
        const messages = messagesOf(event, asked)
        check(scope, messages)
        // Of an event that was cut, what came is no event: not even its id.
        if (isLast && messages.length === 0) return
        const id = event.id !== undefined && PLAIN_ID.test(event.id) ? `id: ${event.id}\n` : ''
        if (messages.length === 0 && id !== '') written.push(`${id}data:\n\n`)
        for (const [at, { json }] of messages.entries()) written.push(`${at === 0 ? id : ''}data: ${json}\n\n`)
      },
      onRetry: (ms) => void written.push(`retry: ${Math.min(Math.max(ms, MIN_RETRY_MS), MAX_RETRY_MS)}\n`),
    })
    const decoder = new TextDecoder()
    const lines = createLineEnds()
    const tidy = streams.watch(body, scope, (bytes) => {
      isLast = bytes === undefined
      if (bytes) count(scope, bytes.byteLength)
      parser.feed(bytes ? lines(decoder.decode(bytes, { stream: true })) : '\n\n')
      return written.splice(0).join('')
    })
    const headers = new Headers(response.headers)
    headers.set('content-type', 'text/event-stream')
    return new Response(tidy, { status: response.status, headers })
  }

  return {
    async read(response, { method, id }, scope) {
      const asked = { method, id, redact }
      const { body } = response
      if (response.status === 202 || response.status === 204 || !body) {
        scope.ended()
        return response
      }
      const isStream = /^\s*text\/event-stream\b/i.test(response.headers.get('content-type') ?? '')
      return isStream ? readStream(response, body, asked, scope) : readText(response, asked, scope)
    },
  }
}

const lineEnds = (text: string) => text.replaceAll(/\r\n?/g, '\n')

/** Every line end as one LF, over pieces: an event that ends in CR alone is not held back until more comes. */
function createLineEnds(): (piece: string) => string {
  let afterReturn = false
  return (piece) => {
    if (piece === '') return ''
    const rest = afterReturn && piece.startsWith('\n') ? piece.slice(1) : piece
    afterReturn = piece.endsWith('\r')
    return lineEnds(rest)
  }
}
