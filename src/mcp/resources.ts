import { z } from 'zod'
import { unknownResource } from '../core/words/calls.ts'
import type { ModelTool } from '../core/ports/toolbox.ts'
import { READ_TOOL } from '../core/words/results.ts'
import { DESCRIBE_READ } from '../core/words/tools.ts'
import { matchesWildcard } from '../lib/wildcard.ts'
import { readArguments } from './arguments/read.ts'
import type { OpenServer } from './servers.ts'
import { offerInput } from './tools/input-schema.ts'

const resourceSchema = z.object({ server: z.string(), uri: z.string() })

export type WantedResource = { ok: true; server: OpenServer; uri: string } | { ok: false; server: OpenServer | undefined; why: string }

/** The resources that a run may read: those that its results named without holding them, and those that the job allows. */
export interface Resources {
  /** The tool with which the model reads one. */
  tool: ModelTool
  /** Lets the run read what a result of a server named. */
  note(server: string, uris: readonly string[]): void
  /** What the arguments of a read name, or why it is refused. */
  find(text: string): WantedResource
}

/** Undefined when no server offers resources. `named` is what results of earlier attempts named, by server. */
export function openResources(
  servers: readonly OpenServer[],
  named: ReadonlyMap<string, readonly string[]> | undefined,
): Resources | undefined {
  const byName = new Map(servers.filter(({ about }) => about.hasResources).map((server) => [server.spec.name, server]))
  const input = offerInput({
    type: 'object',
    properties: { server: { type: 'string', enum: [...byName.keys()] }, uri: { type: 'string' } },
    required: ['server', 'uri'],
    additionalProperties: false,
  })
  if (byName.size === 0 || !input) return undefined
  const known = new Map([...byName.keys()].map((name) => [name, new Set(named?.get(name))]))
  return {
    tool: { name: READ_TOOL, description: DESCRIBE_READ, parameters: input.parameters },
    note(server, uris) {
      for (const uri of uris) known.get(server)?.add(uri)
    },
    find(text) {
      const args = readArguments({ name: READ_TOOL, input }, text, false)
      if (!args.ok) return { ok: false, server: undefined, why: args.why }
      const { server: name, uri } = resourceSchema.parse(args.arguments.value)
      const server = byName.get(name)
      const uris = [...(known.get(name) ?? [])]
      if (server && (uris.includes(uri) || server.spec.resources.some((one) => matchesWildcard(one, uri)))) return { ok: true, server, uri }
      return { ok: false, server, why: unknownResource(uri, uris) }
    },
  }
}
