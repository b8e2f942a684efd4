import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type Server } from 'node:net'

/** Makes a server listen on 127.0.0.1, at a free port unless one is given. Resolves with the port. */
export async function listen(server: Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port')
  return address.port
}

/** A port of 127.0.0.1 on which nothing listened a moment ago. */
export async function freePort(): Promise<number> {
  const server = createTcpServer()
  const port = await listen(server)
  await new Promise((done) => server.close(done))
  return port
}

/** An HTTP server; in the end it goes with every connection to it. */
export interface HttpServer extends AsyncDisposable {
  port: number
  /** Without a path or a slash at its end. */
  url: string
  close: () => Promise<void>
}

/** Starts an HTTP server on a free port. The connection of a request that `serve` fails at is broken. */
export async function serveHttp(serve: (req: IncomingMessage, res: ServerResponse) => unknown): Promise<HttpServer> {
  const handle = async (req: IncomingMessage, res: ServerResponse) => void (await serve(req, res))
  const server = createHttpServer((req, res) => void handle(req, res).catch(() => res.destroy()))
  const port = await listen(server)
  const close = async () => {
    server.closeAllConnections()
    if (server.listening) await new Promise((done) => server.close(done))
  }
  return { port, url: `http://127.0.0.1:${port}`, close, [Symbol.asyncDispose]: close }
}
