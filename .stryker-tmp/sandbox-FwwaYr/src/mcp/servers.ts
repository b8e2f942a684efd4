// @ts-nocheck
import { Failure, messageOf } from '../core/failure.ts'
import { NotRun, SessionLost, type GatewayFetch } from '../core/ports/gateway.ts'
import { openSession, type CallAnswer, type CallContext, type McpSession } from './session/session.ts'
import type { ToolListing } from './tools.ts'

export interface ServerSpec {
  name: string
  url: string
  allow: readonly string[]
  repeatable: readonly string[]
  required: boolean
  maxRequestBytes: number
}

export interface ServerOptions {
  fetch: GatewayFetch
  /** Longest wait for initialize and each page of a tool list. */
  timeoutMs: number
}

/** A server with a session and its list. A session that is lost is opened anew, once, by the first call that finds out. */
export interface OpenServer {
  spec: ServerSpec
  listing: ToolListing
  call(tool: string, args: Record<string, unknown>, context: CallContext): Promise<CallAnswer>
  /** Ends all its sessions. Never throws. */
  close(): Promise<void>
}

/**
 * Opens all servers at a time. Throws the failure of the first required one that is not as it must be; nothing stays open then. What is wrong with
 * optional ones is in `notes`.
 */
export async function openServers(
  specs: readonly ServerSpec[],
  options: ServerOptions,
  signal: AbortSignal,
): Promise<{ servers: OpenServer[]; notes: string[] }> {
  const notes: string[] = []
  const servers: OpenServer[] = []
  let failure: unknown
  const results = await Promise.allSettled(specs.map((spec) => openServer(spec, options, signal)))
  for (const [i, result] of results.entries()) {
    if (result.status === 'fulfilled') servers.push(result.value)
    else if (specs[i]?.required !== false || signal.aborted) failure ??= result.reason
    else notes.push(`${specs[i]?.name}: ${messageOf(result.reason)}`)
  }
  if (failure === undefined) return { servers, notes }
  await Promise.all(servers.map((server) => server.close()))
  throw failure
}

async function openServer(spec: ServerSpec, { fetch, timeoutMs }: ServerOptions, signal: AbortSignal): Promise<OpenServer> {
  const { name: server, url, maxRequestBytes } = spec
  const open = () => openSession({ server, url, fetch, maxRequestBytes, timeoutMs }, signal)
  let session = await open()
  let renewal: Promise<McpSession> | undefined
  /** Lost sessions: other calls may still be under way in them. */
  const lostSessions: McpSession[] = []

  async function renewNow(lost: McpSession): Promise<McpSession> {
    try {
      session = await open()
      lostSessions.push(lost)
      return session
    } finally {
      renewal = undefined
    }
  }

  function renew(lost: McpSession): Promise<McpSession> {
    return session === lost ? (renewal ??= renewNow(lost)) : Promise.resolve(session)
  }

  /** A server that does not know the session did not run the call: it is made once more, in a new one. */
  async function call(tool: string, args: Record<string, unknown>, context: CallContext): Promise<CallAnswer> {
    const first = session
    try {
      return await first.call(tool, args, context)
    } catch (error) {
      if (!(error instanceof SessionLost)) throw error
    }
    const again = await renew(first).catch((cause: unknown) => {
      throw new NotRun(`${server} lost the session`, { cause })
    })
    return again.call(tool, args, context).catch((second: unknown) => {
      if (!(second instanceof SessionLost)) throw second
      throw new Failure({
        code: 'UPSTREAM_UNAVAILABLE',
        message: `${server} lost two sessions in a row.`,
        server,
        cause: new NotRun(second.message),
      })
    })
  }

  try {
    const listing = await session.listTools(signal)
    const missing = spec.allow.find((name) => !listing.tools.has(name))
    if (missing !== undefined && spec.required)
      throw new Failure({ code: 'TOOL_MISSING', message: notOffered({ spec, listing }, missing), server })
    return {
      spec,
      listing,
      call,
      close: async () => void (await Promise.all([session, ...lostSessions].map((one) => one.close()))),
    }
  } catch (error) {
    await session.close()
    if (!(error instanceof SessionLost)) throw error
    throw new Failure({ code: 'UPSTREAM_UNAVAILABLE', message: `${server} lost the session at once.`, server, cause: error })
  }
}

const MAX_NAMED = 50

/** Why a tool that the job allows is not there. */
export function notOffered({ spec, listing }: Pick<OpenServer, 'spec' | 'listing'>, name: string): string {
  const leftOut = listing.leftOut.find((one) => one.name === name)
  if (leftOut) return `The tool ${name} of ${spec.name} cannot be used: ${leftOut.why}.`
  return `The tool ${name} of ${spec.name} is not offered; it offers ${[...listing.tools.keys()].slice(0, MAX_NAMED).join(', ') || 'no tools'}.`
}
