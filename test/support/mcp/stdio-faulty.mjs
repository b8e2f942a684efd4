// An MCP server on standard input and output that fails as its argument says: at its start, when it is called, or by its silence.
import { createInterface } from 'node:readline'

const fault = process.argv[2]
if (fault === 'start') process.exit(3)
const results = {
  initialize: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'faulty', version: '1.0.0' } },
  'tools/list': { tools: [{ name: 'add', inputSchema: { type: 'object' } }] },
}
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method } = JSON.parse(line)
  if (method === 'tools/call') process.exit(3)
  const result = results[method]
  if (result && fault !== 'silent') process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`)
}
