import type OpenAI from 'openai'
import { APIError } from 'openai'
import { fieldsIn, idIn, isSaid, listIn, shownIn, textIn, type Fields } from '../../foreign.ts'
import type { HostedProbe, Passed, Reached } from '../../provider.ts'
import type { Ask } from '../../parameters.ts'
import { accessOf, type McpToken } from './access.ts'
import { NO_TOOL, NOBODY, QUESTION, reachedBy, withoutNames, type ProbedServer } from '../../hosted/reached.ts'
import { serverLabel } from '../../hosted/server-label.ts'

export interface ProbeOptions {
  client: OpenAI
  model: string
  background: boolean
  mcpToken: McpToken
  store: boolean | undefined
  /** Runs are told in metadata. */
  labels: boolean
  /** Sends a request, and once more without what is refused. */
  ask: Ask
  nameFailure: (error: unknown) => unknown
}

const ONE = { maxRetries: 0 }
const ASKED = { input: QUESTION }

/** Asks a provider twice, for a few tokens: what it passes over of a hosted request, and whether it goes to an MCP server itself. */
export async function probeHosted(
  options: ProbeOptions,
  target: { server: string; url: string },
  signal: AbortSignal,
): Promise<Omit<HostedProbe, 'refused'>> {
  try {
    return { passed: await passedOver(options, signal), reached: await reach(options, target, signal) }
  } catch (error) {
    throw options.nameFailure(error)
  }
}

async function passedOver({ client, model, background, store, labels, ask }: ProbeOptions, signal: AbortSignal): Promise<Passed[]> {
  const body = {
    ...ASKED,
    model,
    max_tool_calls: 1,
    ...(background ? { background: true, store: true } : store !== undefined && { store }),
    ...(labels && { metadata: { nightshift: 'doctor' } }),
  }
  let asked: Fields = {}
  const answer = fieldsIn(
    await ask(body, (taken) => {
      asked = fieldsIn(taken)
      return client.responses.create(taken, { ...ONE, signal })
    }),
  )
  const id = idIn(answer['id'])
  // A background answer is of no use to anybody.
  if (background && id !== undefined) await client.responses.cancel(id, { ...ONE, signal }).catch(() => {})
  const isKept = asked['store'] === false && id !== undefined && (await isThere(client, id, signal))
  return [
    ...(asked['background'] === true && answer['background'] !== true ? (['background'] as const) : []),
    ...('max_tool_calls' in asked && answer['max_tool_calls'] !== 1 ? (['max_tool_calls'] as const) : []),
    ...('metadata' in asked && fieldsIn(answer['metadata'])['nightshift'] !== 'doctor' ? (['metadata'] as const) : []),
    ...(isKept ? (['store'] as const) : []),
  ]
}

/** Whether an answer that was not to be kept can be had again. */
const isThere = (client: OpenAI, id: string, signal: AbortSignal): Promise<boolean> =>
  client.responses.retrieve(id, {}, { ...ONE, signal }).then(
    (found) => idIn(fieldsIn(found)['id']) === id,
    () => false,
  )

async function reach(
  { client, model, mcpToken, ask }: ProbeOptions,
  { server, url }: { server: string; url: string },
  signal: AbortSignal,
): Promise<Reached> {
  const label = serverLabel(server)
  const target = { label, url }
  const body = {
    ...ASKED,
    model,
    tools: [
      {
        type: 'mcp' as const,
        server_label: label,
        server_url: url,
        ...accessOf({ authorization: `Bearer ${NOBODY}` }, mcpToken),
        allowed_tools: [NO_TOOL],
        require_approval: 'never' as const,
      },
    ],
  }
  try {
    const answer = fieldsIn(await ask(body, (taken) => client.responses.create(taken, { ...ONE, signal })))
    const listed = listIn(answer['output']).filter(({ type }) => type === 'mcp_list_tools')
    const list = listed.find((item) => textIn(item['server_label']) === label) ?? listed[0]
    const error = [list?.['error'], answer['error']].find(isSaid)
    if (error !== undefined) return reachedBy(shownIn(error), target)
    return { kind: list ? 'listed' : 'not-looked' }
  } catch (error) {
    const said = aboutServer(error, target)
    if (said !== undefined) return reachedBy(said, target)
    if (error instanceof APIError && NOT_TAKEN.has(Number(error.status))) return { kind: 'not-taken', said: error.message }
    throw error
  }
}

const FAILED_DEPENDENCY = 424
const NOT_TAKEN = new Set([400, 404, 422, 501])

/** What an error says of the server, with its status; undefined for one about the request. The provider's key was taken a moment ago, so that another 401 is the gateway's. */
function aboutServer(error: unknown, target: ProbedServer): string | undefined {
  if (!(error instanceof APIError)) return undefined
  const status: number | undefined = error.status
  const isAboutServer =
    status === FAILED_DEPENDENCY ||
    status === 401 ||
    /\bmcp\b.{0,200}\b(?:server|tools?|connect)/is.test(withoutNames(error.message, target))
  return isAboutServer ? error.message : undefined
}
