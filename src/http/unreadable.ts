// Requests that no route is given, since they cannot be read: each is answered with a problem, as all others are.
import { randomUUID } from 'node:crypto'
import { maxHeaderSize, STATUS_CODES, type Server, type ServerResponse } from 'node:http'
import { RequestError } from '@hono/node-server'
import { Failure, messageOf } from '../core/failure.ts'
import { failureOf, PROBLEM_TYPE, problemOf, problemResponse } from './problem.ts'

interface Refusal {
  status: number
  message: string
  cure: string
}

/** By the parser's own words, which have nothing of the request in them. */
const notHttp = (error: Error): Refusal => ({
  status: 400,
  message: `What came is no request of HTTP/1.1: ${error.message.replace('Parse Error: ', '')}.`,
  cure: 'Send HTTP/1.1 to this port, without TLS.',
})
const REFUSALS: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    message: `The request line and the headers have more than ${maxHeaderSize} bytes.`,
    cure: 'Send fewer or shorter headers; a user of many groups has a long assertion behind Pomerium.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: 'The request did not come whole in time.', cure: 'Send it in one piece.' },
}
const NOT_EXPECTED: Refusal = {
  status: 417,
  message: 'The header Expect asks for what is not known here.',
  cure: 'Send 100-continue, or no Expect.',
}

/** The head and the body of a refusal; the connection ends with it, since nothing is known of what comes behind. */
function answerOf({ status, message, cure }: Refusal) {
  const body = JSON.stringify({ ...problemOf(new Failure({ code: 'REQUEST_INVALID', message, cure })), status })
  const headers = {
    'content-type': PROBLEM_TYPE,
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    'x-request-id': randomUUID(),
    connection: 'close',
  }
  return { status, headers, body }
}

/** Answers what this server cannot read as HTTP. */
export function answerUnreadable(server: Server): void {
  const answers = new WeakMap<object, ServerResponse>()
  server.on('request', (request, response) => answers.set(request.socket, response))
  server.on('checkExpectation', (_, response) => {
    const { status, headers, body } = answerOf(NOT_EXPECTED)
    response.writeHead(status, headers).end(body)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const open = answers.get(socket)
    // In the middle of another answer it would be a part of that one.
    if (!socket.writable || (open?.headersSent === true && !open.writableFinished)) return void socket.destroy(error)
    const { status, headers, body } = answerOf(REFUSALS[error.code ?? ''] ?? notHttp(error))
    const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)]
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  })
}

/** Answers a request whose address or host is none. */
export function answerBadAddress(error: unknown): Response {
  const failure =
    error instanceof RequestError
      ? new Failure({
          code: 'REQUEST_INVALID',
          message: `The request cannot be read: ${messageOf(error)}.`,
          cure: 'Correct the address, or the header Host.',
        })
      : failureOf(error)
  return problemResponse(failure, { headers: { 'x-request-id': randomUUID() } })
}
