/** Tools of one name that several servers have: a provider that calls servers itself may reach the first of them alone, and does not say whose it called. */
export const sharedTools = (tools: readonly { server: string; tool: string }[]): { tool: string; servers: string[] }[] =>
  [...Map.groupBy(tools, ({ tool }) => tool)].flatMap(([tool, of]) => {
    const servers = [...new Set(of.map(({ server }) => server))]
    return servers.length > 1 ? [{ tool, servers }] : []
  })

/** What is to be done about it. */
export const UNSHARE = 'allow it on one of them, or write delegate: local'
