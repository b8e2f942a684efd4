/** An address `host:port`, an IPv6 host without its brackets. */
export function parseListen(listen: string): { hostname: string; port: number } {
  const at = listen.lastIndexOf(':')
  return { hostname: listen.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(listen.slice(at + 1)) }
}

/** Where one reaches it. */
export const httpUrl = (hostname: string, port: number) => `http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`

/** Nobody outside of this machine reaches it. */
export const isLoopback = (hostname: string) => hostname === 'localhost' || hostname === '::1' || /^127(\.\d{1,3}){3}$/.test(hostname)
