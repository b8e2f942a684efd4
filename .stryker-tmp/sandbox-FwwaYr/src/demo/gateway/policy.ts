// @ts-nocheck
import { z } from 'zod'

/** The part of Pomerium's policy that the stand-in knows: allow by user or by tool, deny by tool. */
export interface DemoPolicy {
  allowUsers?: readonly string[]
  allowTool?: string
  denyTool?: string
}

/** What the gateway sees of a JSON-RPC body that fits its limit. */
export interface SeenRpc {
  id: unknown
  method: string
  tool: string | undefined
  parameters: unknown
}

export interface Decision {
  allow: boolean
  allowWhy: string[]
  deny: boolean
  denyWhy: string[]
}

const rpcSchema = z.looseObject({
  jsonrpc: z.literal('2.0'),
  id: z.unknown().optional(),
  method: z.string(),
  params: z.looseObject({ name: z.string().optional(), arguments: z.unknown().optional() }).optional(),
})

/** Reads the first `maxBytes` of a body: a longer one is cut, and then there is no JSON-RPC to see. Batches and answers are none either. */
export function seeRpc(body: Buffer, maxBytes: number): SeenRpc | undefined {
  try {
    const parsed = rpcSchema.safeParse(JSON.parse(body.subarray(0, maxBytes).toString()))
    if (!parsed.success) return undefined
    const { id, method, params } = parsed.data
    const isCall = method === 'tools/call'
    return { id, method, tool: isCall ? params?.name : undefined, parameters: isCall ? (params?.arguments ?? {}) : undefined }
  } catch {
    return undefined
  }
}

/** Pomerium's decision with its reasons, as its log writes them. */
export function decide(policy: DemoPolicy, user: string | undefined, rpc: SeenRpc | undefined): Decision {
  const toolReason = (wanted: string) => {
    if (rpc?.tool === undefined) return { match: false, why: 'mcp-not-a-tool-call' }
    return rpc.tool === wanted ? { match: true, why: 'mcp-tool-match' } : { match: false, why: 'mcp-tool-no-match' }
  }
  const denied = policy.denyTool === undefined ? undefined : toolReason(policy.denyTool)
  const deny = { deny: denied?.match ?? false, denyWhy: denied ? [denied.why] : [] }
  if (policy.allowTool !== undefined) {
    const allowed = toolReason(policy.allowTool)
    return user === undefined
      ? { allow: false, allowWhy: ['user-unauthenticated'], ...deny }
      : { allow: allowed.match, allowWhy: [allowed.why], ...deny }
  }
  if (user === undefined) return { allow: false, allowWhy: ['user-unauthenticated'], ...deny }
  const allow = policy.allowUsers?.includes(user) ?? false
  return { allow, allowWhy: [allow ? 'user-ok' : 'user-unauthorized'], ...deny }
}
