import type { FaultProxy, ProxyFault, Seen } from '../support/gateway/fault-proxy.ts'

type Fault = ProxyFault | void | undefined
export type Answer = Extract<ProxyFault, { kind: 'answer' }>

/** The fault of each request that `when` picks, until it is set anew. */
export function on(proxy: FaultProxy, when: (seen: Seen) => boolean, fault: (seen: Seen) => Fault): void {
  proxy.intercept = (seen) => (when(seen) ? (fault(seen) ?? undefined) : undefined)
}

const isCall = (tool: string) => (seen: Seen) => seen.rpcMethod === 'tools/call' && seen.tool === tool

/** At each call of `look`. */
export const onLook = (proxy: FaultProxy, fault: (seen: Seen) => Fault): void => on(proxy, isCall('look'), fault)

/** At each call of `act`. */
export const onAct = (proxy: FaultProxy, fault: (seen: Seen) => Fault): void => on(proxy, isCall('act'), fault)

/** At each request of a JSON-RPC method. */
export const onMethod = (proxy: FaultProxy, method: string, fault: (seen: Seen) => Fault): void =>
  on(proxy, ({ rpcMethod }) => rpcMethod === method, fault)

/** At each route list. */
export const onRoutes = (proxy: FaultProxy, fault: (seen: Seen) => Fault): void =>
  on(proxy, ({ url }) => url.startsWith('/.pomerium/'), fault)

/** Of these requests only the first. */
export function once(fault: ProxyFault): () => Fault {
  let done = false
  return () => {
    if (done) return undefined
    done = true
    return fault
  }
}

export const JSON_TYPE = { 'content-type': 'application/json' }
export const HTML_TYPE = { 'content-type': 'text/html; charset=UTF-8' }
export const SSE_TYPE = { 'content-type': 'text/event-stream' }

/** A JSON-RPC answer, as JSON. */
export const rpcAnswer = (body: object): ProxyFault => ({
  kind: 'answer',
  status: 200,
  headers: JSON_TYPE,
  body: JSON.stringify({ jsonrpc: '2.0', ...body }),
})

/** An answer of a status with a text. */
export const status = (code: number, headers: Record<string, string> = {}, body = ''): Answer => ({
  kind: 'answer',
  status: code,
  headers,
  body,
})
