// Names of tools that no server is likely to have.
import type { Fault } from '../faults/fault.ts'
import type { JobDefinition } from '../schema.ts'

export function toolWarnings({ tools }: Pick<JobDefinition, 'tools'>): Fault[] {
  return Object.entries(tools).flatMap(([server, { allow }]) => {
    const twice = allow.filter((tool, at) => allow.indexOf(tool) < at)
    const messages = [
      ...allow.flatMap((tool) => nameWarning(tool, server) ?? []),
      ...[...new Set(twice)].map((tool) => `names ${tool} twice; take one of them out`),
    ]
    return messages.map((message) => ({ path: ['tools', server, 'allow'], message }))
  })
}

/** What stands between the names of a server and of a tool, where programs write both. */
const JOINTS = ['.', '__', '/', ':']
/** Signs of regular expressions that names of tools do not have. */
const PATTERN = /\.\*|[\^$|()[\]+?\\]/

function nameWarning(tool: string, server: string): string | undefined {
  const joint = JOINTS.find((one) => tool.toLowerCase().startsWith(`${server}${one}`.toLowerCase()))
  const rest = joint === undefined ? '' : tool.slice(server.length + joint.length)
  if (rest !== '')
    return `names ${tool}, with the name of the server before it; servers mostly name their tools without: did you mean ${rest}?`
  if (!PATTERN.test(tool)) return undefined
  const plain = tool.replace(/^\^|\$$/g, '').replaceAll('.*', '*')
  return `has ${tool}, which is read as a name: only * stands for any text${PATTERN.test(plain) ? '' : `; did you mean ${plain}?`}`
}
