// @ts-nocheck
import { z } from 'zod'
import { startMcpHttp, type Connectable, type RunningServer } from './mcp-http.ts'

const moduleSchema = z.object({
  createServer: z.custom<() => { server: Connectable; cleanup: () => void }>((value) => typeof value === 'function'),
})

/** The reference server of the MCP project, with sessions and event streams. Its own program would listen on all addresses, so we host it. */
export async function startEverythingServer(): Promise<RunningServer> {
  // The package ships no types; a variable keeps the compiler from looking for them.
  const path = '@modelcontextprotocol/server-everything/dist/server/index.js'
  const { createServer } = moduleSchema.parse(await import(path))
  return startMcpHttp({ create: () => createServer().server, sessions: true })
}
