/** Where an `mcp` tool has the account's token: among its headers, or as its field `authorization`. */
export type McpToken = 'headers' | 'authorization'

/** What an `mcp` tool says of how a server is reached, from the headers that the server is to get. The field holds the token without `Bearer`, which the provider puts before it. */
export function accessOf(
  headers: Readonly<Record<string, string>>,
  mcpToken: McpToken,
): { headers?: Record<string, string>; authorization?: string } {
  if (mcpToken === 'headers') return { headers: { ...headers } }
  const { authorization = '', ...others } = headers
  return { authorization: authorization.replace(/^Bearer /, ''), ...(Object.keys(others).length > 0 && { headers: others }) }
}
