import type { GatewayFetch } from '../../core/ports/gateway.ts'
import type { PastTurn } from '../../core/history.ts'
import type { CallJournal } from '../../core/ports/journal.ts'
import { Failure } from '../../core/failure.ts'
import { sharedTools, UNSHARE } from '../../jobs/shared-tools.ts'
import type { JobDefinition } from '../../jobs/schema.ts'
import type { ServerSpec } from '../../mcp/servers.ts'
import { openToolBox, type OpenToolBox } from '../../mcp/toolbox.ts'
import { listRoutes, requireRoute } from '../../pomerium/routes.ts'
import { durationMs } from '../../lib/duration.ts'
import { withTimeout } from '../../pomerium/timeout.ts'
import type { RunResources } from '../resources.ts'
import { checkPins } from './pins/check-pins.ts'

/** Pomerium's max_request_bytes where the route sets none (measured). */
const DEFAULT_REQUEST_BYTES = 4096

export interface Preflight {
  toolBox: OpenToolBox
  servers: ServerSpec[]
  /** How many MCP routes Pomerium lists. */
  routes: number
}

export interface PreflightOptions {
  resources: RunResources
  definition: JobDefinition
  journal: CallJournal
  fetch: GatewayFetch
  /** What earlier attempts of the run did. */
  history: readonly PastTurn[]
}

/**
 * Each required server answers and has each tool named, before a model token is spent. Optional ones that are not in the route list are left
 * out. Throws the failure of the first thing that is not as it must be.
 */
export async function preflight(
  { resources, definition, journal, fetch, history }: PreflightOptions,
  signal: AbortSignal,
): Promise<Preflight> {
  const { url: gatewayUrl, routeHosts, timeoutMs, maxResponseBytes } = resources.gateway
  const { account, onUnknown, limits } = definition
  const {
    redactor: { redact },
    refuseWrites,
  } = resources
  const listed = await withTimeout(signal, timeoutMs, gatewayUrl, (limited) =>
    listRoutes({ fetch, gatewayUrl, routeHosts, account, redact, signal: limited }),
  )
  const servers: ServerSpec[] = []
  const absent: string[] = []
  for (const [name, { timeout, ...tool }] of Object.entries(definition.tools)) {
    const route = tool.required ? requireRoute(listed, name) : listed.routes.get(name)
    const maxRequestBytes = resources.maxRequestBytes.get(name) ?? DEFAULT_REQUEST_BYTES
    if (route)
      servers.push({
        ...tool,
        name,
        url: route.url,
        description: route.description,
        maxRequestBytes,
        callTimeoutMs: durationMs(timeout ?? limits.call),
      })
    else
      absent.push(
        listed.leftOut.has(name) ? `the MCP route ${name} is not used: ${listed.leftOut.get(name)}` : `Pomerium lists no MCP route ${name}`,
      )
  }
  const { keptBytes } = limits
  const toolBox = await openToolBox(
    {
      servers,
      fetch,
      journal,
      onUnknown,
      resultBytes: limits.resultBytes,
      keptBytes,
      canRead: definition.contract !== 'none',
      redact,
      timeoutMs,
      maxResponseBytes,
      slots: resources.serverSlots,
      namedUris: namedUris(history),
      refuseWrites,
    },
    signal,
  )
  toolBox.notes.push(...absent)
  try {
    checkPins(definition, toolBox)
    if (definition.delegate === 'hosted') checkShared(toolBox)
  } catch (error) {
    await toolBox.close()
    throw error
  }
  return { toolBox, servers, routes: listed.routes.size }
}

/** Throws `JOB_INVALID` when two servers offer a tool of one name to a provider that calls them itself. */
function checkShared({ offered }: Pick<OpenToolBox, 'offered'>): void {
  const [shared] = sharedTools(offered.map(({ server, tool }) => ({ server, tool: tool.name })))
  if (!shared) return
  const { tool, servers } = shared
  throw new Failure({
    code: 'JOB_INVALID',
    message: `The tool ${tool} is one of ${servers.join(' and of ')}: a hosted provider may reach one of them alone.`,
    cure: `In ${servers.map((server) => `tools.${server}.allow`).join(' and ')} of the job, ${UNSHARE}.`,
  })
}

/** The resources that results of earlier attempts named, by server. */
export function namedUris(history: readonly PastTurn[]): Map<string, string[]> {
  const named = new Map<string, string[]>()
  for (const { server, result } of history.flatMap(({ calls }) => calls))
    if (result?.uris) named.set(server, [...(named.get(server) ?? []), ...result.uris])
  return named
}
