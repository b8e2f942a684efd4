import { describeError, Failure } from '../core/failure.ts'
import { NotRun, SessionLost, type GatewayFetch } from '../core/ports/gateway.ts'
import { matchesWildcard } from '../lib/wildcard.ts'
import type { ResultsMode } from './results.ts'
import { openSession } from './session/session.ts'
import type { CallAnswer, McpSession, PromptAnswer, ReadAnswer, ServerAbout } from './session/types.ts'
import type { ToolListing } from './tools/listing.ts'

/** A server as the job and the gateway describe it. */
export interface ServerSpec {
  name: string
  url: string
  /** What the operator wrote at the route. */
  description: string | undefined
  /** Names of tools, or patterns in which `*` stands for anything. */
  allow: readonly string[]
  /** Those among them that may run twice without harm, in the same way. */
  repeatable: readonly string[]
  required: boolean
  maxRequestBytes: number
  /** Longest wait for the result of a call. */
  callTimeoutMs: number
  results: ResultsMode
  /** URIs, or patterns, that may be read though no result named them. */
  resources: readonly string[]
  /** `pass` or `drop` the server's own instructions, or a text in their place. */
  instructions: string
  notes?: string | undefined
}

export interface ServerOptions {
  fetch: GatewayFetch
  /** Longest wait for initialize and each page of a tool list. */
  timeoutMs: number
  /** Most bytes of an answer, and of a list over its pages. */
  maxResponseBytes: number
  /** Takes secrets out of what a server says. */
  redact: (text: string) => string
}

type Answer = CallAnswer | ReadAnswer | PromptAnswer

/** A server with a session and its list. A session that is lost is opened anew, once, by the first call that finds out. */
export interface OpenServer {
  spec: ServerSpec
  about: ServerAbout
  listing: ToolListing
  /** Names of the tools that the job allows and the server has: in the job's order, those of a pattern by name. */
  allowed: string[]
  /** Runs `work` in the session. When the server has lost it, once more in a new one, unless that could repeat a call. */
  inSession<T extends Answer>(work: (session: McpSession) => Promise<T>): Promise<T>
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
    else notes.push(`${specs[i]?.name}: ${describeError(result.reason)}`)
  }
  if (failure === undefined) return { servers, notes }
  await Promise.all(servers.map((server) => server.close()))
  throw failure
}

async function openServer(spec: ServerSpec, options: ServerOptions, signal: AbortSignal): Promise<OpenServer> {
  const { name: server, url, maxRequestBytes } = spec
  const open = () => openSession({ ...options, server, url, maxRequestBytes }, signal)
  let session = await open()
  /** A session that the server no longer knows. */
  let gone: McpSession | undefined
  let renewal: Promise<McpSession> | undefined
  /** Lost sessions: other calls may still be under way in them. */
  const lostSessions: McpSession[] = []

  async function renewNow(lost: McpSession): Promise<McpSession> {
    try {
      session = await open()
      lostSessions.push(lost)
      return session
    } catch (cause) {
      throw new NotRun(`${server} lost the session`, { cause })
    } finally {
      renewal = undefined
    }
  }

  function renew(lost: McpSession): Promise<McpSession> {
    return session === lost ? (renewal ??= renewNow(lost)) : Promise.resolve(session)
  }

  async function inSession<T extends Answer>(work: (session: McpSession) => Promise<T>): Promise<T> {
    const first = gone === session ? await renew(session) : session
    try {
      const answer = await work(first)
      if (saysSessionGone(answer)) gone = first
      return answer
    } catch (error) {
      // A call that may have run is not made again; the next one finds a new session.
      if (error instanceof Failure && error.cause instanceof SessionLost) gone = first
      if (!(error instanceof SessionLost)) throw error
    }
    const again = await renew(first)
    return work(again).catch((second: unknown) => {
      if (!(second instanceof SessionLost)) throw second
      if (second.cause instanceof Failure) throw second.cause
      throw new Failure({
        code: 'UPSTREAM_UNAVAILABLE',
        message: `${server} lost two sessions in a row.`,
        server,
        cause: new NotRun(second.message),
      })
    })
  }

  try {
    const listing = await session.listTools(spec.allow, signal)
    const missing = missingTool(spec, listing)
    if (missing !== undefined && spec.required)
      throw new Failure({ code: 'TOOL_MISSING', message: notOffered({ spec, listing }, missing), server })
    return {
      spec,
      about: session.about,
      listing,
      allowed: allowedTools(spec, listing),
      inSession,
      close: async () => void (await Promise.all([session, ...lostSessions].map((one) => one.close()))),
    }
  } catch (error) {
    await session.close()
    throw error
  }
}

/** Some servers say it in a result of HTTP 200: then it is their answer, and the next request finds a new session. */
const saysSessionGone = (answer: Answer) =>
  answer.kind === 'rpc-error' && answer.code === SESSION_NOT_FOUND && /session/i.test(answer.message)

const SESSION_NOT_FOUND = -32001

function allowedTools({ allow }: ServerSpec, { tools }: ToolListing): string[] {
  const names = [...tools.keys()]
  return [...new Set(allow.flatMap((pattern) => names.filter((name) => matchesWildcard(pattern, name)).toSorted()))]
}

/** The first name or pattern under `allow` that no tool has. */
export function missingTool({ allow }: Pick<ServerSpec, 'allow'>, { tools }: ToolListing): string | undefined {
  const names = [...tools.keys()]
  return allow.find((one) => !names.some((name) => matchesWildcard(one, name)))
}

const MAX_NAMED = 50

/** Why a tool that the job allows is not there. */
export function notOffered({ spec, listing }: Pick<OpenServer, 'spec' | 'listing'>, name: string): string {
  const leftOut = listing.leftOut.find((one) => one.name === name)
  if (leftOut) return `The tool ${name} of ${spec.name} cannot be used: ${leftOut.why}.`
  return `The tool ${name} of ${spec.name} is not offered; it offers ${listing.names.slice(0, MAX_NAMED).join(', ') || 'no tools'}.`
}
