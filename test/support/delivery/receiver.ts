import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { serveHttp } from '../net/listen.ts'

export interface Received {
  url: string
  headers: IncomingHttpHeaders
  body: string
  /** What it was answered, unless `reply` answered it itself. */
  status?: number
}

/** Answers a message: a status, or nothing when it has dealt with `res` itself. */
export type Reply = (message: Received, res: ServerResponse, req: IncomingMessage) => number | undefined | Promise<number | undefined>

/** A server that takes webhooks and keeps what it was sent. */
export interface Receiver extends AsyncDisposable {
  url: string
  received: Received[]
  reply: Reply
  /** Resolves when the next message has come. */
  next(): Promise<Received>
}

/** Takes what was signed with this secret, and refuses all else with 401. */
export const takeSigned =
  (secret: string): Reply =>
  ({ headers, body }) => {
    try {
      new Webhook(secret).verify(body, Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])))
      return 204
    } catch {
      return 401
    }
  }

export async function startReceiver(reply: Reply = () => 204): Promise<Receiver> {
  const waiting: ((message: Received) => void)[] = []
  const http = await serveHttp(take)
  const receiver: Receiver = {
    url: `${http.url}/hook`,
    received: [],
    reply,
    next: () => new Promise((done) => waiting.push(done)),
    [Symbol.asyncDispose]: http.close,
  }

  async function take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const message: Received = { url: req.url ?? '', headers: req.headers, body: await text(req) }
    receiver.received.push(message)
    for (const done of waiting.splice(0)) done(message)
    const status = await receiver.reply(message, res, req)
    if (status === undefined) return
    message.status = status
    res.writeHead(status).end()
  }

  return receiver
}
