import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'

export interface Received {
  url: string
  headers: IncomingHttpHeaders
  body: string
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

export async function startReceiver(reply: Reply = () => 204): Promise<Receiver> {
  const waiting: ((message: Received) => void)[] = []
  const http = createServer((req, res) => void take(req, res).catch(() => res.destroy()))
  const receiver: Receiver = {
    url: '',
    received: [],
    reply,
    next: () => new Promise((done) => waiting.push(done)),
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      await new Promise((done) => http.close(done))
    },
  }

  async function take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const message = { url: req.url ?? '', headers: req.headers, body: await text(req) }
    receiver.received.push(message)
    for (const done of waiting.splice(0)) done(message)
    const status = await receiver.reply(message, res, req)
    if (status !== undefined) res.writeHead(status).end()
  }

  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  receiver.url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/hook`
  return receiver
}
