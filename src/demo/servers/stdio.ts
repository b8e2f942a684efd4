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

export interface RunningStdioServer extends RunningServer {
  /** What became of a program that nobody ended, the last time: `ended` by itself, or why there was none. */
  fault: () => 'ended' | Error | undefined
}

/** Serves a program that speaks MCP on its standard input and output over streamable HTTP: a process for each session. What it writes to its standard error is shown. */
export async function startStdioServer(server: StdioServer): Promise<RunningStdioServer> {
  let fault: 'ended' | Error | undefined
  const running = await startMcpHttp({ create: () => bridge(server, (what) => (fault = what)), sessions: true })
  return { ...running, fault: () => fault }
}

/** Passes each message on as it is. */
function bridge({ env, ...server }: StdioServer, onFault: (fault: 'ended' | Error | undefined) => void): Connectable {
  const program = new StdioClientTransport({ ...server, env: { ...getDefaultEnvironment(), ...env }, stderr: 'inherit' })
  let isOver = false
  const close = () => {
    isOver = true
    return program.close()
  }
  return {
    async connect(client: Transport) {
      Object.assign(client, {
        onmessage: (message: JSONRPCMessage) => void program.send(message).catch(() => client.close()),
        onclose: () => void close(),
      })
      Object.assign(program, {
        // An answer goes to where it was asked for; what the server says by itself, to the stream of the session.
        onmessage: (message: JSONRPCMessage) =>
          void client.send(message, isAnswer(message) ? { relatedRequestId: message.id } : {}).catch(() => {}),
        onclose: () => {
          if (!isOver) onFault('ended')
          void client.close()
        },
      })
      onFault(undefined)
      try {
        await program.start()
      } catch (error) {
        onFault(error instanceof Error ? error : new Error(String(error)))
        isOver = true
        throw error
      }
      await client.start()
    },
    close,
  }
}

const isAnswer = (message: JSONRPCMessage): message is JSONRPCMessage & { id: RequestId } => 'id' in message && !('method' in message)
