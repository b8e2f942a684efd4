const MAX_COOKIES = 20
const MAX_COOKIE = 4096
/** Pomerium's own session is that of a person; an account has its token. */
const OF_GATEWAY = /^_pomerium/

/** The cookies of one MCP session: some load balancers know by them which instance holds it. */
export interface Cookies {
  send(headers: Headers): void
  keep(headers: Headers): void
}

/** All that a session asks goes to one address, so that no more than name and value of a cookie count. */
export function createCookies(): Cookies {
  const known = new Map<string, string>()
  return {
    send(headers) {
      if (known.size > 0) headers.set('cookie', [...known].map(([name, value]) => `${name}=${value}`).join('; '))
    },
    keep(headers) {
      for (const one of headers.getSetCookie()) {
        const [, name, value] = /^\s*([\w!#$%&'*+.^`|~-]+)=([\x21-\x7e]*?)\s*(?:;|$)/.exec(one) ?? []
        if (name === undefined || value === undefined || one.length > MAX_COOKIE || OF_GATEWAY.test(name)) continue
        if (/;\s*max-age=(?:0|-\d+)\s*(?:;|$)/i.test(one)) known.delete(name)
        else if (known.has(name) || known.size < MAX_COOKIES) known.set(name, value)
      }
    },
  }
}
