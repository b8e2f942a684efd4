import { createServer } from 'node:http'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'

export interface WebhookReceiver extends AsyncDisposable {
  url: string
  /** Messages whose signature was right, parsed. */
  received: unknown[]
  /** Messages whose signature was not. */
  refused: string[]
}

export async function startWebhookReceiver(secret: string): Promise<WebhookReceiver> {
  const received: unknown[] = []
  const refused: string[] = []
  const hook = new Webhook(secret)
  const server = createServer((req, res) => {
    void text(req).then((body) => {
      try {
        received.push(hook.verify(body, Object.fromEntries(Object.entries(req.headers).map(([name, value]) => [name, String(value)]))))
        res.writeHead(204).end()
      } catch {
        refused.push(body)
        res.writeHead(401).end()
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`,
    received,
    refused,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
