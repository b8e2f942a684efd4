/** The code of a proxy that gave no connection. */
export const PROXY_ERROR = 'ERR_PROXY'

/** Codes of failures before a connection stood. */
export const NEVER_CONNECTED: readonly string[] = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  PROXY_ERROR,
]

/** The codes of an error and of what caused it, outermost first. */
export function codesOf(error: unknown): string[] {
  const codes: string[] = []
  for (let at: unknown = error; at instanceof Error; at = at.cause) if ('code' in at && typeof at.code === 'string') codes.push(at.code)
  return codes
}

/** True when no connection stood, so nothing was sent. A connection that stood can break with some of the same codes, in a read or a write. */
export function isNeverConnected(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (!('code' in at) || typeof at.code !== 'string' || !NEVER_CONNECTED.includes(at.code)) continue
    return !('syscall' in at) || (at.syscall !== 'read' && at.syscall !== 'write')
  }
  return false
}
