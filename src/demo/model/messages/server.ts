import type { IncomingMessage, ServerResponse } from 'node:http'
import { createMcpReach, type Reach } from '../mcp.ts'
import type { Turn } from '../responses.ts'
import { sendJson } from '../send.ts'
import { tokensIn } from '../size/tokens.ts'
import { itemOf, itemsOf, type Item, wordOf } from '../vendors/request.ts'
import { blocksOfTurn, endingOf, messageEvents, messageOf, newId, type StreamEvent } from './answer.ts'
import { createMarkedCache, tokensOf } from './cache.ts'
import { refuse } from './errors.ts'
import { serveHosted, type MessageScript } from './hosted.ts'
import { createMessageRules } from './rules.ts'

export interface MessagesOptions {
  /** Tokens by model; others take anything. */
  windows: Readonly<Record<string, number>>
  apiKey: string | undefined
  /** How to get to MCP servers that a request names, when it is not as their URL says. */
  reach: Reach | undefined
}

/** Versions with the MCP connector: in the first the tools stand beside the server, in the last an answer says whose tools were listed. */
const MCP_BETAS = ['mcp-client-2025-04-04', 'mcp-client-2025-11-20', 'mcp-client-2026-09-15']

const isMessages = (url: string | undefined) => url?.split('?')[0] === '/v1/messages'

const betasOf = ({ 'anthropic-beta': betas }: IncomingMessage['headers']) => String(betas).split(/, ?/)
const isBeta = (headers: IncomingMessage['headers']) => betasOf(headers).some((one) => MCP_BETAS.includes(one))

/** The Messages API, as Anthropic publishes it. */
export function createMessagesServer({ windows, apiKey, reach: way }: MessagesOptions) {
  const reach = createMcpReach(way)
  const rules = createMessageRules()
  const cache = createMarkedCache()

  function fault(headers: IncomingMessage['headers'], body: Item): [status: number, message: string] | undefined {
    const key = headers['x-api-key'] ?? headers.authorization?.replace(/^Bearer /, '')
    if (apiKey !== undefined && key !== apiKey) return [401, 'invalid x-api-key']
    if (headers['anthropic-version'] !== '2023-06-01') return [400, 'anthropic-version: header is required']
    const refused = rules.refuse(body, isBeta(headers))
    if (refused !== undefined) return [400, refused]
    const [window, tokens] = [windows[wordOf(body['model'])] ?? Number.POSITIVE_INFINITY, tokensOf(body)]
    return tokens > window ? [400, `prompt is too long: ${tokens} tokens > ${window} maximum`] : undefined
  }

  return {
    speaks: ({ url, method }: IncomingMessage): boolean => isMessages(url) && method === 'POST',
    /** True where it refused the request. */
    refuses({ headers }: IncomingMessage, res: ServerResponse, body: Item): boolean {
      res.setHeader('request-id', newId('req'))
      res.removeHeader('x-request-id')
      const found = fault(headers, body)
      if (found) refuse(res, ...found)
      return found !== undefined
    },
    isHosted: (body: Item): boolean => itemsOf(body['mcp_servers']).length > 0,
    serveHosted: (req: IncomingMessage, res: ServerResponse, body: Item, script: MessageScript): Promise<void> =>
      serveHosted(res, body, script, {
        reach,
        counted: cache.look(body),
        dress: (blocks) => rules.dress(blocks, body),
        tellsListing: betasOf(req.headers).includes('mcp-client-2026-09-15'),
      }),
    close: reach.close,
    send(res: ServerResponse, body: Item, turn: Turn): void {
      const said = blocksOfTurn(turn)
      const counted = { ...cache.look(body), outputTokens: tokensIn(JSON.stringify(said)) }
      const about = { model: wordOf(body['model']), tier: body['service_tier'] }
      const message = messageOf(about, rules.dress(said, body), endingOf(turn), counted)
      if (itemOf(body)['stream'] !== true) return sendJson(res, 200, message)
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const event of messageEvents(message)) res.write(eventText(event))
      res.end()
    },
  }
}

const eventText = (event: StreamEvent): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
