import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { startMcpHttp, type Connectable, type RunningServer } from './mcp-http.ts'

export interface StdioServer {
  command: string
  args: string[]
  /** Beside those that any program wants, such as PATH. */
  env: Record<string, string>
  cwd: string
}

/** Serves a program that speaks MCP on its standard input and output over streamable HTTP: a process for each session. What it writes to its standard error is shown. */
export const startStdioServer = (server: StdioServer): Promise<RunningServer> =>
  startMcpHttp({ create: () => bridge(server), sessions: true })

/** Passes each message on as it is. */
function bridge({ env, ...server }: StdioServer): Connectable {
  const program = new StdioClientTransport({ ...server, env: { ...getDefaultEnvironment(), ...env }, stderr: 'inherit' })
  return {
    async connect(client: Transport) {
      Object.assign(client, {
        onmessage: (message: JSONRPCMessage) => void program.send(message).catch(() => client.close()),
        onclose: () => void program.close(),
      })
      Object.assign(program, {
        // An answer goes to where it was asked for; what the server says by itself, to the stream of the session.
        onmessage: (message: JSONRPCMessage) =>
          void client.send(message, isAnswer(message) ? { relatedRequestId: message.id } : {}).catch(() => {}),
        onclose: () => void client.close(),
      })
      await program.start()
      await client.start()
    },
    close: () => program.close(),
  }
}

const isAnswer = (message: JSONRPCMessage): message is JSONRPCMessage & { id: RequestId } => 'id' in message && !('method' in message)
