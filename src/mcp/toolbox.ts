import { randomUUID } from 'node:crypto'
import type { FailureRecord } from '../core/failure.ts'
import type { ToolCallRecord } from '../core/ports/journal.ts'
import type { ModelTool, ToolBox, ToolCallRequest, ToolOutcome } from '../core/ports/toolbox.ts'
import { errorOf, SERVER_BUSY, WRITE_REFUSED } from '../core/words/calls.ts'
import { unknownTool } from '../core/words/mistakes.ts'
import type { ContextText } from '../core/words/context.ts'
import { OWN_SERVER } from '../core/words/endings.ts'
import type { Keeping } from '../core/rules/reading/keep.ts'
import { resultId, type Showing } from '../core/words/results.ts'
import { describeOwner, FIND_TOOLS } from '../core/words/tools.ts'
import { matchesWildcard } from '../lib/wildcard.ts'
import { readForeignArguments } from './arguments/foreign.ts'
import { makeCall, refuseCall, type CallOptions } from './call.ts'
import { readContext, type WantedContext } from './context.ts'
import { instructionsPin, introductionOf, type InstructionsPin } from './introductions.ts'
import { openResources, type WantedResource } from './resources.ts'
import { readAnswer, readResource, told } from './results.ts'
import { notOffered, openServers, type OpenServer, type ServerOptions, type ServerSpec } from './servers.ts'
import { whenFree, type Slot } from './slots.ts'
import type { ListedTool } from './tools/definition.ts'
import { offerTools } from './tools/deferred.ts'
import { nameTools } from './tools/names.ts'

export interface ToolBoxOptions extends CallOptions, ServerOptions, Keeping {
  servers: readonly ServerSpec[]
  /** Runs a call once its server has a free slot, over all runs of this process. A server without a concurrency limit is not in it. */
  slots?: ReadonlyMap<string, Slot>
  /** Calls of tools that are not repeatable are not sent: nothing is to be changed. */
  refuseWrites?: boolean | undefined
  /** Resources that results of earlier attempts named, by server. */
  namedUris?: ReadonlyMap<string, readonly string[]>
}

/** A tool that the job allows and its server has. */
export interface OfferedTool {
  /** The model’s name of it. */
  name: string
  server: string
  tool: ListedTool
  /** The job says that it may run twice without harm. */
  repeatable: boolean
}

/** The least time that a call is given. */
const MIN_CALL_MS = 1

interface CallTime {
  callSignal: AbortSignal
  giveUpAt: number
}

export interface OpenToolBox extends ToolBox {
  offered: OfferedTool[]
  /** What servers say of themselves and the model is told. */
  instructions: InstructionsPin[]
  /** Optional servers and tools that are not there, for the log. */
  notes: string[]
  /** Reads a resource or prompt before the first turn; undefined when its server is optional and not there. Throws a `Failure` when it cannot be read. */
  readContext(wanted: WantedContext, signal: AbortSignal): Promise<ContextText | undefined>
  close(): Promise<void>
}

interface Entry {
  server: OpenServer
  tool: ListedTool
  /** Faulty calls of this tool in a row. */
  mistakes: number
}

/**
 * Opens a session with each server, lists its tools and checks that every required one is there: the preflight, before a token is spent.
 * Throws the failure of the first required server that is not as it must be; nothing stays open then.
 */
export async function openToolBox(options: ToolBoxOptions, signal: AbortSignal): Promise<OpenToolBox> {
  const { journal } = options
  const { servers, notes } = await openServers(options.servers, options, signal)
  const entries = nameEntries(options.servers, servers)
  for (const server of servers)
    for (const name of server.spec.allow)
      if (!server.allowed.some((tool) => matchesWildcard(name, tool))) notes.push(notOffered(server, name))
  const resources = openResources(servers, options.namedUris)

  const offers = offerTools(describeTools(entries, options))

  function isRepeatable(name: string): boolean {
    if (name === resources?.tool.name || name === FIND_TOOLS) return true
    const entry = entries.get(name)
    return entry?.server.spec.repeatable.some((one) => matchesWildcard(one, entry.tool.name)) ?? false
  }

  const make = async (
    server: OpenServer,
    record: ToolCallRecord,
    { callSignal, giveUpAt }: CallTime,
    send: Parameters<typeof makeCall>[3],
  ) => {
    const work = async () => {
      const { callTimeoutMs } = server.spec
      const timeoutMs = record.repeatable ? Math.max(MIN_CALL_MS, Math.min(callTimeoutMs, giveUpAt - performance.now())) : callTimeoutMs
      const outcome = await makeCall(record, options, { signal: callSignal, timeoutMs }, send)
      resources?.note(server.spec.name, outcome.uris ?? [])
      return outcome
    }
    const slot = options.slots?.get(record.server)
    if (!slot) return work()
    const outcome = await whenFree(slot, work, { signal: callSignal, waitMs: giveUpAt - performance.now() })
    return outcome ?? refuseCall(record, refused(SERVER_BUSY), journal)
  }

  async function read(
    record: ToolCallRecord,
    wanted: WantedResource,
    time: CallTime,
    showing: Omit<Parameters<typeof readResource>[1], 'readable'>,
  ): Promise<ToolOutcome> {
    if (!wanted.ok) return refuseCall(record, mistake(wanted.why, null), journal)
    const { server, uri } = wanted
    record.arguments = { server: server.spec.name, uri }
    return make(server, record, time, async (context) =>
      readResource(await server.inSession((session) => session.read(uri, context)), { ...showing, readable: server.about.hasResources }),
    )
  }

  async function call(
    { name, arguments: text, giveUpAt, resultBytes, ...place }: ToolCallRequest,
    callSignal: AbortSignal,
  ): Promise<ToolOutcome> {
    const entry = entries.get(name)
    const wanted = name === resources?.tool.name ? resources.find(text) : undefined
    const server = entry?.server ?? wanted?.server
    const record: ToolCallRecord = {
      id: randomUUID(),
      ...place,
      server: server?.spec.name ?? '',
      tool: entry?.tool.name ?? name,
      arguments: text,
      repeatable: isRepeatable(name),
    }
    const time = { callSignal, giveUpAt }
    const showing = { ...options, id: idOf(record), resultBytes }
    if (wanted) return read(record, wanted, time, showing)
    const own = offers.answer(name, text)
    if (own)
      return refuseCall({ ...record, server: OWN_SERVER }, own.ok ? await told('ok', own.text, showing) : mistake(own.why, null), journal)
    if (!entry || !server) {
      const known = [...entries].map(([offered, { tool }]) => ({ name: offered, tool: tool.name }))
      return refuseCall(record, mistake(unknownTool(name, known), 'TOOL_NOT_ALLOWED'), journal)
    }
    if (options.refuseWrites && !record.repeatable) return refuseCall(record, refused(WRITE_REFUSED), journal)
    const { tool } = entry
    const { read: args, unchecked } = await readForeignArguments({ name, input: tool.input, digest: tool.digest }, text, entry.mistakes > 0)
    const note = `${server.spec.name}: the arguments of ${tool.name} are not checked here, since its input schema costs too much; the server checks its own.`
    if (unchecked && !notes.includes(note)) notes.push(note)
    if (!args.ok) {
      entry.mistakes++
      return refuseCall(record, mistake(args.why, null), journal)
    }
    entry.mistakes = 0
    const { json, value } = args.arguments
    record.arguments = value
    const reading = {
      ...showing,
      results: server.spec.results,
      hasOwnPage: tool.hasOwnPage,
      readable: server.about.hasResources,
    }
    return make(server, record, time, async (context) =>
      readAnswer(await server.inSession((session) => session.call(tool.name, json, context)), reading),
    )
  }

  return {
    tools: [...offers.shown, ...(resources ? [resources.tool] : [])],
    servers: servers.map((server) => introductionOf(server, options)),
    offered: [...entries].map(([name, { server, tool }]) => ({ name, server: server.spec.name, tool, repeatable: isRepeatable(name) })),
    instructions: servers.flatMap((server) => instructionsPin(server) ?? []),
    notes,
    resolve: (asked) => offers.resolve(asked),
    isRepeatable,
    serverOf: (name) => entries.get(name)?.server.spec.name,
    call,
    readContext: (wanted, readSignal) => readContext(servers, wanted, options, readSignal),
    close: async () => void (await Promise.all(servers.map((server) => server.close()))),
  }
}

/** The tools by the model's names, which follow from all that the job allows: a server that is away changes no other's. */
function nameEntries(specs: readonly ServerSpec[], servers: readonly OpenServer[]): Map<string, Entry> {
  const offered = servers.flatMap((server) => server.allowed.map((tool) => ({ server: server.spec.name, tool })))
  const nameOf = nameTools([...specs.flatMap(({ name, allow }) => allow.map((tool) => ({ server: name, tool }))), ...offered])
  const entries = new Map<string, Entry>()
  for (const server of servers) {
    for (const name of server.allowed) {
      const tool = server.listing.tools.get(name)
      if (tool) entries.set(nameOf({ server: server.spec.name, tool: name }), { server, tool, mistakes: 0 })
    }
  }
  return entries
}

/** The tools as the model reads them; those of one name and the same words in two servers also say whose they are. */
function describeTools(entries: ReadonlyMap<string, Entry>, showing: Showing): ModelTool[] {
  const wordsOf = ({ tool }: Entry) => `${tool.name}\0${tool.description}`
  const alike = Map.groupBy(entries.values(), wordsOf)
  return [...entries].map(([name, entry]) => {
    const { server, tool } = entry
    const isAlone = alike.get(wordsOf(entry))?.length === 1
    const description = isAlone ? tool.description : describeOwner(tool.description, introductionOf(server, showing))
    return { name, description, parameters: tool.input.parameters }
  })
}

const idOf = ({ turn, position }: ToolCallRecord) => resultId(turn, position)

/** A call that is not made, through no fault of the model. */
const refused = (text: string): ToolOutcome => ({ status: 'refused', text, truncated: false, failure: null, mistake: false })

/** A call that the model got wrong: never sent. */
function mistake(text: string, code: 'TOOL_NOT_ALLOWED' | null): ToolOutcome {
  const failure: FailureRecord | null = code && { code, message: text, retry: 'never' }
  return { status: 'refused', text: errorOf(text), truncated: false, failure, mistake: true }
}
