import { Failure, messageOf } from '../core/failure.ts'
import type { GatewayFetch } from '../core/ports/gateway.ts'
import type { Job } from '../jobs/job.ts'
import { missingTool } from '../mcp/servers.ts'
import { openSession } from '../mcp/session/session.ts'
import { isFromUpstream, UPSTREAM_MARK } from '../pomerium/responses.ts'
import { CORRECT_ROUTE, type RouteList } from '../pomerium/routes.ts'
import { failed, failedBy, ok, skipped, warning, type Finding } from './check.ts'

/** The gateway as an account sees it: TLS, the token, the route list. */
export async function checkRoutes(
  account: string,
  ask: () => Promise<RouteList | undefined>,
): Promise<{ findings: Finding[]; list: RouteList | undefined }> {
  const check = `gateway as ${account}`
  try {
    const listed = await ask()
    const names = [...(listed?.routes.keys() ?? [])].toSorted()
    const leftOut = [...(listed?.leftOut ?? [])].map(([name, why]) =>
      warning(check, `The route ${name} is not used: ${why}.`, CORRECT_ROUTE),
    )
    return { findings: [ok(check, `${names.length} MCP routes: ${names.join(', ')}`), ...leftOut], list: listed }
  } catch (error) {
    return { findings: [failedBy(check, error)], list: undefined }
  }
}

export interface ServerCheck {
  account: string
  server: string
  jobs: readonly Job[]
  list: RouteList
  fetch: GatewayFetch
  maxRequestBytes: number | undefined
  timeoutMs: number
  maxResponseBytes: number
  redact: (text: string) => string
  signal: AbortSignal
}

/** A tool name that no server has: a call of it shows what policy and server answer, and runs nothing. */
const PROBE = 'nightshift_doctor_probe'
const DEFAULT_REQUEST_BYTES = 4096

/** A server that jobs name: route, initialize, tools, and the answer to a call of a tool that does not exist. */
export async function checkServer({
  account,
  server,
  jobs,
  list,
  fetch,
  maxRequestBytes,
  timeoutMs,
  signal: ended,
  ...limits
}: ServerCheck): Promise<Finding[]> {
  const check = `server ${server} as ${account}`
  const route = list.routes.get(server)
  if (!route) {
    const why = list.leftOut.get(server)
    const what = why === undefined ? `Pomerium lists no route ${server}` : `The route ${server} is not used (${why})`
    const cure = why === undefined ? 'Add the route to pomerium.yaml, or correct the jobs.' : CORRECT_ROUTE
    return [failed(check, `${what}; jobs ${jobs.map(({ name }) => name).join(', ')} need it.`, cure)]
  }
  const signal = AbortSignal.any([ended, AbortSignal.timeout(timeoutMs)])
  let marked = false
  const watched: GatewayFetch = async (...request) => {
    // oxlint-disable-next-line waits/bounded -- what is asked has the session's signal
    const response = await fetch(...request)
    marked ||= isFromUpstream(response)
    return response
  }
  try {
    const session = await openSession(
      { server, url: route.url, fetch: watched, maxRequestBytes: maxRequestBytes ?? DEFAULT_REQUEST_BYTES, timeoutMs, ...limits },
      signal,
    )
    try {
      const wanted = [...new Set(jobs.flatMap((job) => job.definition.tools[server]?.allow ?? []))]
      const listing = await session.listTools(wanted, signal)
      const missing = wanted.filter((allow) => missingTool({ allow: [allow] }, listing) !== undefined)
      const found =
        missing.length > 0
          ? failed(check, `It lacks ${missing.join(', ')}.`, 'Correct the jobs or the server.')
          : ok(check, `${listing.names.length} tools; jobs name ${wanted.length}, and all of them are there`)
      return [found, await probe(check, session, signal), marks(check, marked), bodyLimit(check, server, maxRequestBytes)]
    } finally {
      await session.close()
    }
  } catch (error) {
    return [failedBy(check, error)]
  }
}

async function probe(check: string, session: Awaited<ReturnType<typeof openSession>>, signal: AbortSignal): Promise<Finding> {
  try {
    await session.call(PROBE, '{}', { toolCallId: crypto.randomUUID(), repeatable: true, written: Promise.resolve(), signal })
    return warning(
      check,
      'Policy lets the account call a tool that no job names.',
      'Deny tools in the route’s policy, or rely on the job’s own allow-list alone.',
    )
  } catch (error) {
    if (error instanceof Failure && error.code === 'TOOL_DENIED') return ok(check, 'policy denies a tool that it does not know')
    return warning(check, `A call that may not be was answered with: ${messageOf(error)}.`, 'See whether the server is well.')
  }
}

/** Whether a refused call can be told from one that the server had. */
function marks(check: string, marked: boolean): Finding {
  if (marked) return ok(check, `Pomerium marks what the server says (${UPSTREAM_MARK}): a call that Pomerium itself refused was not made`)
  return warning(
    check,
    `What the server says comes without ${UPSTREAM_MARK}, so nobody can tell who refused a call: each call that is refused and not repeatable counts as one that may have run (OUTCOME_UNKNOWN).`,
    'Take out what removes the header: Envoy’s suppress_envoy_headers, or a proxy in front of Pomerium.',
  )
}

function bodyLimit(check: string, server: string, maxRequestBytes: number | undefined): Finding {
  if (maxRequestBytes !== undefined)
    return skipped(check, `not checked: requests go up to ${maxRequestBytes} bytes, and the route’s max_request_bytes must be as much`)
  return warning(
    check,
    `Requests are limited to ${DEFAULT_REQUEST_BYTES} bytes, Pomerium’s default.`,
    `Set max_request_bytes of the route and servers.${server}.maxRequestBytes to the same, larger value.`,
  )
}

/** Skipped: the account's token is not usable. */
export const notAsked = (account: string): Finding => skipped(`gateway as ${account}`, 'not asked: the account has no usable token')

/** Servers of the configuration that no job names: their settings serve nothing, which is right for a job that is to come and wrong for a name that was mistyped. */
export function checkServerNames(servers: readonly string[], jobs: readonly Job[]): Finding[] {
  const used = new Set(jobs.flatMap(({ definition }) => Object.keys(definition.tools)))
  const unused = servers.filter((server) => !used.has(server))
  if (unused.length === 0) return []
  return [
    skipped(
      'servers',
      `no job uses ${unused.map((server) => `servers.${server}`).join(', ')}; jobs use ${[...used].toSorted().join(', ') || 'none'}`,
    ),
  ]
}
