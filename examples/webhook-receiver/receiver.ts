import { createServer, type IncomingMessage, type Server } from 'node:http'
import { Webhook } from 'standardwebhooks'

export interface ReceiverOptions {
  /** The signing secret, as under webhooks: in Nightshift's configuration. */
  secret: string
  /** Told of each message once. What it throws makes Nightshift send the message again. */
  onMessage: (event: unknown) => Promise<void>
}

const MAX_BYTES = 4 * 1024 * 1024

/** A server that takes Nightshift's messages: it believes signed ones alone, and tells of each once. */
export function createReceiver({ secret, onMessage }: ReceiverOptions): Server {
  const webhook = new Webhook(secret)
  // Delivery is at least once. Keep the ids where they outlive this process, such as in the table that the report itself goes into.
  const done = new Set<string>()

  async function receive(request: IncomingMessage): Promise<number> {
    const body = await read(request)
    if (body === undefined) return 413
    const id = String(request.headers['webhook-id'])
    let event: unknown
    try {
      // Also refuses a message that is older than five minutes: somebody may have kept it.
      event = webhook.verify(body, {
        'webhook-id': id,
        'webhook-timestamp': String(request.headers['webhook-timestamp']),
        'webhook-signature': String(request.headers['webhook-signature']),
      })
    } catch {
      return 401
    }
    if (!done.has(id)) await onMessage(event)
    done.add(id)
    return 204
  }

  return createServer((request, response) => {
    void receive(request)
      .catch(() => 500)
      .then((status) => response.writeHead(status).end())
  })
}

/** The body as it was signed; undefined when it is too large. */
async function read(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request) {
    size += part.length
    if (size > MAX_BYTES) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

if (import.meta.main) {
  const { WEBHOOK_SECRET = '', PORT = '8080' } = process.env
  createReceiver({
    secret: WEBHOOK_SECRET,
    async onMessage(event) {
      console.log(JSON.stringify(event))
    },
  }).listen(Number(PORT))
}
