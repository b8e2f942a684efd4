import { serverLabel } from './server-label.ts'

/** A server that the provider was handed, with the tools that it was allowed. */
export interface KnownServer {
  name: string
  tools: readonly string[]
}

export interface NamedTool {
  /** Empty while nobody said it. */
  server: string
  tool: string
}

/** What providers put between the label of a server and the name of its tool, and before both. */
const BETWEEN = ['__', '.', '_', '/', ':', '-']
const BEFORE = ['', 'mcp__', 'mcp_', 'mcp.']

/** How providers may spell a tool of a server in one name. */
const spellings = ({ name }: KnownServer, tool: string): string[] =>
  [...new Set([name, serverLabel(name)])].flatMap((of) =>
    BEFORE.flatMap((before) => BETWEEN.map((between) => `${before}${of}${between}${tool}`)),
  )

/**
 * Makes what reads the name of a tool back, as providers report it for a call, as the name that it was allowed by: some put the server's before it. A name stays as it is when the
 * server has a tool of it, or when no tool, or more than one, may be meant.
 */
export function createToolNames(servers: readonly KnownServer[]): (reported: NamedTool) => NamedTool {
  const meant = new Map<string, NamedTool[]>()
  for (const server of servers)
    for (const tool of server.tools)
      for (const spelled of spellings(server, tool)) meant.set(spelled, [...(meant.get(spelled) ?? []), { server: server.name, tool }])
  return (reported) => {
    const known = servers.find(({ name }) => name === reported.server)
    if ((known ? [known] : servers).some(({ tools }) => tools.includes(reported.tool))) return reported
    const [one, ...others] = (meant.get(reported.tool) ?? []).filter(({ server }) => !known || server === known.name)
    return one !== undefined && others.length === 0 ? one : reported
  }
}
