import { randomUUID } from 'node:crypto'
import { Failure, messageOf, type FailureRecord } from '../core/failure.ts'
import { isNotRun, NotRun, SessionLost, type GatewayFetch } from '../core/ports/gateway.ts'
import type { CallJournal, ToolCallRecord } from '../core/ports/journal.ts'
import { compileSchema } from '../lib/json-schema.ts'
import { cutBytes } from '../lib/text.ts'
import type { ToolBox, ToolCallRequest, ToolOutcome } from '../core/ports/toolbox.ts'
import { resultText } from './content.ts'
import { modelToolName } from './names.ts'
import { openSession, type CallAnswer, type McpSession, type ToolListing } from './session.ts'
import type { ListedTool } from './tools.ts'

export interface ServerSpec {
  name: string
  url: string
  allow: readonly string[]
  repeatable: readonly string[]
  required: boolean
  maxRequestBytes: number
}

export interface ToolBoxOptions {
  servers: readonly ServerSpec[]
  fetch: GatewayFetch
  journal: CallJournal
  onUnknown: 'stop' | 'tell-model'
  resultBytes: number
  /** Takes secrets out of what a server answers, before it is kept or told to the model. */
  redact: (text: string) => string
  /** Longest wait for initialize and each page of a tool list. */
  timeoutMs: number
  /** Calls at a time to a server, over all runs of this process. */
  limits?: ReadonlyMap<string, <T>(work: () => Promise<T>) => Promise<T>>
}

/** A tool that the job allows and its server has. */
export interface OfferedTool {
  server: string
  tool: ListedTool
}

export interface OpenToolBox extends ToolBox {
  offered: OfferedTool[]
  /** Optional servers and tools that are not there, for the log. */
  notes: string[]
  close(): Promise<void>
}

interface Opened {
  spec: ServerSpec
  session: McpSession
  listing: ToolListing
  /** A new session is being opened for one that was lost. */
  renewal?: Promise<McpSession> | undefined
  /** Lost sessions: other calls may still be under way in them. */
  lost: McpSession[]
}

interface Entry {
  opened: Opened
  tool: ListedTool
}

/**
 * Opens a session with each server, lists its tools and checks that every required one is there: the preflight, before a token is spent.
 * Throws the failure of the first required server that is not as it must be; nothing stays open then.
 */
export async function openToolBox(options: ToolBoxOptions, signal: AbortSignal): Promise<OpenToolBox> {
  const { servers, journal } = options
  const notes: string[] = []
  const results = await Promise.allSettled(servers.map((spec) => openServer(spec, options, signal)))
  const opened: Opened[] = []
  let failure: unknown
  for (const [i, result] of results.entries()) {
    if (result.status === 'fulfilled') opened.push(result.value)
    else if (servers[i]?.required !== false || signal.aborted) failure ??= result.reason
    else notes.push(`${servers[i]?.name}: ${messageOf(result.reason)}`)
  }
  const close = async () => {
    await Promise.all(opened.flatMap(({ session, lost }) => [session, ...lost]).map((one) => one.close()))
  }
  if (failure !== undefined) {
    await close()
    throw failure
  }

  const entries = new Map<string, Entry>()
  for (const one of opened) {
    for (const name of one.spec.allow) {
      const tool = one.listing.tools.get(name)
      if (tool) entries.set(modelToolName(one.spec.name, name), { opened: one, tool })
      else notes.push(notOffered(one, name))
    }
  }

  /** A session that is lost is opened anew by the first call that finds out; the others use the new one. */
  function renew(one: Opened, lost: McpSession): Promise<McpSession> {
    if (one.session !== lost) return Promise.resolve(one.session)
    const open = async () => {
      try {
        const session = await openSession(sessionOptions(one.spec, options), signal)
        one.lost.push(lost)
        one.session = session
        return session
      } finally {
        one.renewal = undefined
      }
    }
    return (one.renewal ??= open())
  }

  async function send(
    { opened: one, tool }: Entry,
    args: Record<string, unknown>,
    toolCallId: string,
    written: Promise<void>,
    callSignal: AbortSignal,
  ): Promise<CallAnswer> {
    const { session } = one
    const context = { toolCallId, written, signal: callSignal }
    try {
      return await session.call(tool.name, args, context)
    } catch (error) {
      if (!(error instanceof SessionLost)) throw error
      const again = await renew(one, session).catch((cause: unknown) => {
        throw new NotRun(`${one.spec.name} lost the session`, { cause })
      })
      return again.call(tool.name, args, context).catch((second: unknown) => {
        throw second instanceof SessionLost
          ? new Failure({
              code: 'UPSTREAM_UNAVAILABLE',
              message: `${one.spec.name} lost two sessions in a row.`,
              server: one.spec.name,
              cause: new NotRun(second.message),
            })
          : second
      })
    }
  }

  /** Makes a call: written before it is sent and after its answer. */
  async function callNow(
    entry: Entry,
    record: ToolCallRecord,
    args: Record<string, unknown>,
    callSignal: AbortSignal,
  ): Promise<ToolOutcome> {
    callSignal.throwIfAborted()
    const began = performance.now()
    const written = journal.toolCall(record)
    written.catch(() => {}) // awaited before the request is sent, and in its failure
    let outcome: ToolOutcome
    let thrown: unknown
    try {
      outcome = readAnswer(await send(entry, args, record.id, written, callSignal), options)
    } catch (error) {
      const judged = judge(error, record, options, callSignal)
      outcome = judged.outcome
      thrown = judged.thrown
    }
    await written
    const { status, text, truncated, failure: why } = outcome
    await journal.toolCallEnd({
      id: record.id,
      status,
      result: thrown === undefined ? { text, truncated } : null,
      failure: why,
      durationMs: performance.now() - began,
    })
    if (thrown !== undefined) throw thrown
    return outcome
  }

  function isRepeatable(name: string): boolean {
    const entry = entries.get(name)
    return entry?.opened.spec.repeatable.includes(entry.tool.name) ?? false
  }

  async function call(request: ToolCallRequest, callSignal: AbortSignal): Promise<ToolOutcome> {
    const entry = entries.get(request.name)
    const record: ToolCallRecord = {
      id: randomUUID(),
      turn: request.turn,
      position: request.position,
      callId: request.callId,
      server: entry?.opened.spec.name ?? '',
      tool: entry?.tool.name ?? request.name,
      arguments: request.arguments,
      repeatable: isRepeatable(request.name),
    }
    const refuse = async (outcome: ToolOutcome) => {
      await journal.toolCallRefused(record, {
        id: record.id,
        status: outcome.status,
        result: outcome,
        failure: outcome.failure,
        durationMs: 0,
      })
      return outcome
    }
    if (!entry)
      return refuse(mistake(`There is no tool ${request.name}. The tools are: ${[...entries.keys()].join(', ')}.`, 'TOOL_NOT_ALLOWED'))
    const args = parseArguments(entry.tool, request.arguments)
    if (!args.ok) return refuse(mistake(args.why, null))
    record.arguments = args.value

    const make = () => callNow(entry, record, args.value, callSignal)
    const limit = options.limits?.get(record.server)
    return limit ? limit(make) : make()
  }

  return {
    tools: [...entries].map(([name, { tool }]) => ({ name, description: tool.description, parameters: parametersOf(tool) })),
    offered: [...entries.values()].map(({ opened: { spec }, tool }) => ({ server: spec.name, tool })),
    notes,
    isRepeatable,
    call,
    close,
  }
}

const sessionOptions = (spec: ServerSpec, { fetch, timeoutMs }: ToolBoxOptions) => ({
  server: spec.name,
  url: spec.url,
  fetch,
  maxRequestBytes: spec.maxRequestBytes,
  timeoutMs,
})

/** Providers do not take the dialect of a schema. */
function parametersOf({ inputSchema }: ListedTool): Record<string, unknown> {
  const { $schema: _, ...parameters } = inputSchema
  return parameters
}

function notOffered({ spec, listing }: Pick<Opened, 'spec' | 'listing'>, name: string): string {
  const leftOut = listing.leftOut.find((one) => one.name === name)
  if (leftOut) return `The tool ${name} of ${spec.name} cannot be used: ${leftOut.why}.`
  return `The tool ${name} of ${spec.name} is not offered; it offers ${[...listing.tools.keys()].slice(0, 50).join(', ') || 'no tools'}.`
}

async function openServer(spec: ServerSpec, options: ToolBoxOptions, signal: AbortSignal): Promise<Opened> {
  const session = await openSession(sessionOptions(spec, options), signal)
  try {
    const listing = await session.listTools(signal)
    const missing = spec.allow.find((name) => !listing.tools.has(name))
    if (missing !== undefined && spec.required)
      throw new Failure({ code: 'TOOL_MISSING', message: notOffered({ spec, listing }, missing), server: spec.name })
    return { spec, session, listing, lost: [] }
  } catch (error) {
    await session.close()
    if (error instanceof SessionLost)
      throw new Failure({
        code: 'UPSTREAM_UNAVAILABLE',
        message: `${spec.name} lost the session at once.`,
        server: spec.name,
        cause: error,
      })
    throw error
  }
}

function mistake(text: string, code: 'TOOL_NOT_ALLOWED' | null): ToolOutcome {
  const failure: FailureRecord | null = code && { code, message: text, retry: 'never' }
  return { status: 'refused', text: `Error: ${text}`, truncated: false, failure, mistake: true }
}

function parseArguments(tool: ListedTool, text: string): { ok: true; value: Record<string, unknown> } | { ok: false; why: string } {
  let value: unknown
  try {
    value = text.trim() === '' ? {} : JSON.parse(text)
  } catch (error) {
    return { ok: false, why: `The arguments are not valid JSON: ${messageOf(error)}.` }
  }
  if (!isRecord(value)) return { ok: false, why: 'The arguments must be a JSON object.' }
  const fault = check(tool, value)
  return fault === undefined ? { ok: true, value } : { ok: false, why: `The arguments do not fit the tool: ${fault}.` }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A schema that cannot be compiled cannot be checked here; the server checks its own. */
function check(tool: ListedTool, value: unknown): string | undefined {
  try {
    return compileSchema(tool.inputSchema, { foreign: true })(value)
  } catch {
    return undefined
  }
}

function readAnswer(answer: CallAnswer, { resultBytes: maxBytes, redact }: ToolBoxOptions): ToolOutcome {
  const isError = answer.kind === 'rpc-error' || answer.result.isError === true
  const whole = answer.kind === 'rpc-error' ? `Error ${answer.code}: ${answer.message}` : resultText(answer.result)
  const { text, truncated } = cutBytes(redact(whole), maxBytes)
  const shown = truncated ? `${text}\n[cut at ${maxBytes} bytes]` : text
  return { status: isError ? 'error' : 'ok', text: shown, truncated, failure: null, mistake: false }
}

/** What a call that threw means: told to the model, or the end of the attempt. */
function judge(
  error: unknown,
  record: ToolCallRecord,
  { onUnknown, redact }: ToolBoxOptions,
  signal: AbortSignal,
): { outcome: ToolOutcome; thrown?: unknown } {
  const why = error instanceof NotRun ? error.cause : error
  const failure = why instanceof Failure ? { ...why.toJSON(), message: redact(why.message) } : null
  const outcome = (status: ToolOutcome['status'], text: string, truncated = false): ToolOutcome => ({
    status,
    text,
    truncated,
    failure,
    mistake: false,
  })
  if (!(error instanceof Failure))
    return { outcome: outcome(error instanceof NotRun ? 'not_run' : 'unknown', ''), thrown: signal.aborted ? signal.reason : why }
  switch (error.code) {
    case 'TOOL_DENIED':
      return {
        outcome: outcome(
          'denied',
          `Error: access to this tool was denied by policy (request ${error.requestId ?? 'unknown'}). Do not call it again.`,
        ),
      }
    case 'REQUEST_TOO_LARGE':
      return { outcome: outcome('refused', 'Error: the arguments are too large to be sent. Send less.') }
    case 'RESULT_TOO_LARGE':
      return { outcome: outcome('error', 'Error: the tool ran, but its result was too large to be read. Ask for less.', true) }
    case 'OUTCOME_UNKNOWN':
      // A repeatable call costs an attempt, not the run: the next attempt goes on with this call.
      if (record.repeatable)
        return {
          outcome: outcome('unknown', ''),
          thrown: new Failure({
            code: 'UPSTREAM_UNAVAILABLE',
            message: error.message,
            server: record.server,
            requestId: error.requestId,
            cause: error,
          }),
        }
      if (onUnknown === 'tell-model')
        return { outcome: outcome('unknown', 'Error: the call was sent and its outcome is not known: it may have run. Do not repeat it.') }
      return { outcome: outcome('unknown', ''), thrown: error }
    default:
      return { outcome: outcome(isNotRun(error) ? 'not_run' : 'unknown', ''), thrown: error }
  }
}
