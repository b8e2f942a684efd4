// @ts-nocheck
import { Failure } from '../../core/failure.ts'
import type { GatewayFetch } from '../../core/ports/gateway.ts'
import type { CallJournal } from '../../core/ports/journal.ts'
import type { JobDefinition } from '../../jobs/schema.ts'
import type { ServerSpec } from '../../mcp/servers.ts'
import { openToolBox, type OfferedTool, type OpenToolBox } from '../../mcp/toolbox.ts'
import { listRoutes } from '../../pomerium/routes.ts'
import { withTimeout } from '../../pomerium/timeout.ts'
import type { Tools } from '../resources.ts'

/** Pomerium's max_request_bytes where the route sets none (measured). */
const DEFAULT_REQUEST_BYTES = 4096

export interface Preflight {
  toolBox: OpenToolBox
  servers: ServerSpec[]
  /** How many MCP routes Pomerium lists. */
  routes: number
}

export interface PreflightOptions {
  tools: Tools
  definition: JobDefinition
  journal: CallJournal
  fetch: GatewayFetch
}

/**
 * Each required server answers and has each tool named, before a model token is spent. Optional ones that are not in the route list are left
 * out. Throws the failure of the first thing that is not as it must be.
 */
export async function preflight({ tools, definition, journal, fetch }: PreflightOptions, signal: AbortSignal): Promise<Preflight> {
  const { url: gatewayUrl, timeoutMs } = tools.gateway
  const { account, onUnknown, limits } = definition
  const routes = await withTimeout(signal, timeoutMs, gatewayUrl, (limited) => listRoutes({ fetch, gatewayUrl, account, signal: limited }))
  const servers: ServerSpec[] = []
  const absent: string[] = []
  for (const [name, { allow, repeatable, required }] of Object.entries(definition.tools)) {
    const route = routes.get(name)
    const maxRequestBytes = tools.maxRequestBytes.get(name) ?? DEFAULT_REQUEST_BYTES
    if (route) servers.push({ name, url: route.url, allow, repeatable, required, maxRequestBytes })
    else if (!required) absent.push(`Pomerium lists no MCP route ${name}`)
    else {
      throw new Failure({
        code: 'ROUTE_UNKNOWN',
        message: `Pomerium lists no MCP route ${name}; it lists ${[...routes.keys()].toSorted().join(', ') || 'none'}.`,
        server: name,
      })
    }
  }
  const { resultBytes } = limits
  const { redact } = tools.redactor
  const toolBox = await openToolBox(
    { servers, fetch, journal, onUnknown, resultBytes, redact, timeoutMs, limits: tools.serverLimits },
    signal,
  )
  toolBox.notes.push(...absent)
  try {
    checkPins(definition, toolBox.offered)
  } catch (error) {
    await toolBox.close()
    throw error
  }
  return { toolBox, servers, routes: routes.size }
}

/** A tool whose definition is not the pinned one may do other things now than those that were reviewed. */
function checkPins({ pinned }: JobDefinition, offered: readonly OfferedTool[]): void {
  if (!pinned) return
  for (const { server, tool } of offered) {
    const known = pinned[server]?.[tool.name]
    if (known === tool.digest()) continue
    const what = known === undefined ? 'is not pinned' : 'has another description or schema than the pinned one'
    throw new Failure({ code: 'TOOL_CHANGED', message: `The tool ${tool.name} of ${server} ${what}.`, server })
  }
}
