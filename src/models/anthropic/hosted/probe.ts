import { APIError } from 'openai'
import { messageOf } from '../../../core/failure.ts'
import { listIn } from '../../foreign.ts'
import { NO_TOOL, NOBODY, QUESTION, reachedBy } from '../../hosted/reached.ts'
import { serverLabel } from '../../hosted/server-label.ts'
import type { Ask } from '../../parameters.ts'
import type { HostedProbe, Reached } from '../../provider.ts'
import { readAnswer } from '../../raw/read.ts'
import type { MessagesClient } from '../client.ts'
import { wholeMessage } from '../stream.ts'
import { listingIn, MCP_BETA } from './client.ts'
import { connectorOf } from './request.ts'

export interface ProbeOptions {
  client: MessagesClient
  model: string
  /** Sends a request, and once more without what is refused. */
  ask: Ask
  nameFailure: (error: unknown) => unknown
}

/** Tokens of an answer of one word, with a thought before it. */
const ANSWER_TOKENS = 256
const NOT_TAKEN = new Set([400, 404, 422, 501])

/** Asks a provider once, for a few tokens, whether it goes to an MCP server itself. The API has no field for the most calls, so that it keeps none. */
export async function probeHosted(
  { client, model, ask, nameFailure }: ProbeOptions,
  { server, url }: { server: string; url: string },
  signal: AbortSignal,
): Promise<Omit<HostedProbe, 'refused'>> {
  const target = connectorOf({ name: server, url, tools: [NO_TOOL], headers: { authorization: `Bearer ${NOBODY}` } })
  const body = {
    model,
    max_tokens: ANSWER_TOKENS,
    messages: [{ role: 'user', content: QUESTION }],
    mcp_servers: [target.server],
    tools: [target.toolset],
  }
  const reach = async (): Promise<Reached> => {
    try {
      const came = await ask(body, async (taken) => await readAnswer(await client.post(taken, { signal, maxRetries: 0, beta: MCP_BETA })))
      const content = came.kind === 'whole' ? wholeMessage(came.answer)?.content : undefined
      return { kind: listIn(content).some(({ type }) => type === 'mcp_tool_listing') ? 'listed' : 'not-looked' }
    } catch (error) {
      if (!(error instanceof APIError)) throw error
      if (listingIn(error.message, [server])) return reachedBy(messageOf(error), { label: serverLabel(server), url })
      if (NOT_TAKEN.has(Number(error.status))) return { kind: 'not-taken', said: error.message }
      throw error
    }
  }
  try {
    return { passed: ['max_tool_calls'], reached: await reach() }
  } catch (error) {
    throw nameFailure(error)
  }
}
