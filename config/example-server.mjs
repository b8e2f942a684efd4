// An MCP server to try a job with: node example-server.mjs. It needs no package; put your own in its place.
import { createInterface } from 'node:readline'

const TOOLS = [
  {
    name: 'read_stock',
    description: 'What is in stock: each item with how many of it are left.',
    inputSchema: { type: 'object', properties: {}, additionalProperties: false },
    annotations: { readOnlyHint: true },
  },
]
const STOCK = [
  { item: 'coffee', left: 3 },
  { item: 'paper', left: 120 },
]

const answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'example-server', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools: TOOLS }),
  'tools/call': ({ name }) =>
    name === 'read_stock'
      ? { content: [{ type: 'text', text: JSON.stringify(STOCK) }] }
      : { content: [{ type: 'text', text: 'There is no such tool.' }], isError: true },
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === '') continue
  const { id, method, params = {} } = JSON.parse(line)
  // A notification wants no answer.
  if (id === undefined) continue
  const outcome = Object.hasOwn(answers, method)
    ? { result: answers[method](params) }
    : { error: { code: -32601, message: 'Method not found' } }
  process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }) + '\n')
}
