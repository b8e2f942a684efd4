// @ts-nocheck
import { randomUUID } from 'node:crypto'
import type { FailureRecord } from '../core/failure.ts'
import type { ToolCallRecord } from '../core/ports/journal.ts'
import type { ToolBox, ToolCallRequest, ToolOutcome } from '../core/ports/toolbox.ts'
import { parseArguments } from './arguments.ts'
import { makeCall, refuseCall, type CallOptions } from './call.ts'
import { modelToolName } from './names.ts'
import { notOffered, openServers, type OpenServer, type ServerOptions, type ServerSpec } from './servers.ts'
import type { ListedTool } from './tools.ts'

export interface ToolBoxOptions extends CallOptions, ServerOptions {
  servers: readonly ServerSpec[]
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

interface Entry {
  server: OpenServer
  tool: ListedTool
}

/**
 * Opens a session with each server, lists its tools and checks that every required one is there: the preflight, before a token is spent.
 * Throws the failure of the first required server that is not as it must be; nothing stays open then.
 */
export async function openToolBox(options: ToolBoxOptions, signal: AbortSignal): Promise<OpenToolBox> {
  const { servers, notes } = await openServers(options.servers, options, signal)
  const entries = new Map<string, Entry>()
  for (const server of servers) {
    for (const name of server.spec.allow) {
      const tool = server.listing.tools.get(name)
      if (tool) entries.set(modelToolName(server.spec.name, name), { server, tool })
      else notes.push(notOffered(server, name))
    }
  }

  function isRepeatable(name: string): boolean {
    const entry = entries.get(name)
    return entry?.server.spec.repeatable.includes(entry.tool.name) ?? false
  }

  async function call({ name, arguments: text, ...place }: ToolCallRequest, callSignal: AbortSignal): Promise<ToolOutcome> {
    const entry = entries.get(name)
    const record: ToolCallRecord = {
      id: randomUUID(),
      ...place,
      server: entry?.server.spec.name ?? '',
      tool: entry?.tool.name ?? name,
      arguments: text,
      repeatable: isRepeatable(name),
    }
    const refuse = (outcome: ToolOutcome) => refuseCall(record, outcome, options.journal)
    if (!entry) return refuse(mistake(`There is no tool ${name}. The tools are: ${[...entries.keys()].join(', ')}.`, 'TOOL_NOT_ALLOWED'))
    const args = parseArguments(entry.tool, text)
    if (!args.ok) return refuse(mistake(args.why, null))
    record.arguments = args.value

    const make = () => makeCall(entry.server, record, args.value, options, callSignal)
    const limit = options.limits?.get(record.server)
    return limit ? limit(make) : make()
  }

  return {
    tools: [...entries].map(([name, { tool }]) => ({ name, description: tool.description, parameters: parametersOf(tool) })),
    offered: [...entries.values()].map(({ server, tool }) => ({ server: server.spec.name, tool })),
    notes,
    isRepeatable,
    call,
    close: async () => void (await Promise.all(servers.map((server) => server.close()))),
  }
}

/** Providers do not take the dialect of a schema. */
function parametersOf({ inputSchema }: ListedTool): Record<string, unknown> {
  const { $schema: _, ...parameters } = inputSchema
  return parameters
}

/** A call that the model got wrong: never sent. */
function mistake(text: string, code: 'TOOL_NOT_ALLOWED' | null): ToolOutcome {
  const failure: FailureRecord | null = code && { code, message: text, retry: 'never' }
  return { status: 'refused', text: `Error: ${text}`, truncated: false, failure, mistake: true }
}
