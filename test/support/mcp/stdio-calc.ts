// An MCP server on standard input and output, as an author's own: started by the tests of nightshift dev.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { z } from 'zod'

const server = new McpServer({ name: 'calc', version: '1.0.0' })
const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] })

server.registerTool('add', { description: 'Adds two numbers', inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) =>
  text(String(a + b)),
)
server.registerTool('erase', { description: 'Erases everything', inputSchema: {} }, () => text('erased'))
server.registerTool('match', { description: 'Needs a code', inputSchema: { code: z.string().regex(/^x{3}$/) } }, () => text('matched'))

await server.connect(new StdioServerTransport())
