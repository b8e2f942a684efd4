// By which proxy a request goes, if by any.

/** Proxies by the scheme of what is asked for, and hosts that are asked straight. */
export interface Proxying {
  http: string | undefined
  https: string | undefined
  /** As in NO_PROXY: a host, a domain with all below it (with a dot before it or not), an address, each with a port or without; `*` is everything. */
  except: readonly string[]
  /** The variables of the environment say it, and not the address itself. */
  isOfEnvironment: boolean
}

/** What is asked for: of a URL, or of a connection. */
export interface Wanted {
  protocol: string
  hostname: string
  port: string
}

/** One address for all. */
export const proxyAt = (url: string): Proxying => ({ http: url, https: url, except: [], isOfEnvironment: false })

const VARIABLES = { http: ['http_proxy', 'HTTP_PROXY'], https: ['https_proxy', 'HTTPS_PROXY'], all: ['all_proxy', 'ALL_PROXY'] }
const NO_PROXY = ['no_proxy', 'NO_PROXY']

/** What the variables say that other programs go by: the lower case first, as curl has it. Throws an `Error` that names a variable without its text, which may hold a password. */
export function proxyingOf(env: Readonly<Record<string, string | undefined>>): Proxying {
  const addressIn = (names: readonly string[]) => {
    const name = names.find((one) => (env[one] ?? '') !== '')
    const text = name === undefined ? '' : (env[name] ?? '')
    if (name === undefined) return undefined
    // curl takes a host alone, too.
    const address = text.includes('://') ? text : `http://${text}`
    if (!isProxyAddress(address)) throw new Error(`the variable ${name} is no address of the form http://host:port`)
    return address
  }
  const all = addressIn(VARIABLES.all)
  const except = env[NO_PROXY.find((one) => (env[one] ?? '') !== '') ?? ''] ?? ''
  return {
    http: addressIn(VARIABLES.http) ?? all,
    https: addressIn(VARIABLES.https) ?? all,
    except: except.split(/[\s,]+/).filter((one) => one !== ''),
    isOfEnvironment: true,
  }
}

/** True for the address of a proxy that can be gone by: http or https, and nothing after the port. */
export function isProxyAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, pathname, search, hash, hostname } = new URL(text)
  return /^https?:$/.test(protocol) && hostname !== '' && pathname === '/' && search === '' && hash === '' && isDecodable(text)
}

function isDecodable(text: string): boolean {
  try {
    const { username, password } = new URL(text)
    return decodeURIComponent(username + password) !== undefined
  } catch {
    return false
  }
}

/** The proxy by which something is asked for; undefined when it is asked straight. */
export function proxyFor(wanted: Wanted, { http, https, except }: Proxying): URL | undefined {
  const isSecure = wanted.protocol === 'https:'
  const proxy = isSecure ? https : http
  const port = wanted.port || (isSecure ? '443' : '80')
  return proxy && !except.some((one) => isExcepted(bare(wanted.hostname), port, one.toLowerCase())) ? new URL(proxy) : undefined
}

/** An IPv6 address without its brackets, a name without the dot of its root. */
const bare = (hostname: string) => hostname.toLowerCase().replace(/^\[|\]$/g, '').replace(/\.$/, '') // prettier-ignore

function isExcepted(hostname: string, port: string, entry: string): boolean {
  if (entry === '*') return true
  const [, host = '', only] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? ['', entry]
  if (only !== undefined && only !== port) return false
  const name = bare(host).replace(/^\*?\./, '')
  return name !== '' && (hostname === name || (hostname.endsWith(`.${name}`) && !/^[\d.]+$|:/.test(hostname)))
}

/** A proxy for people: without user and password. */
export const showProxy = (proxy: URL): string => proxy.host

/** What the proxy is told of who asks; undefined for one without a user. */
export function proxyAuthorization({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined
  return `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`
}

/** Texts that open the proxies, in each form in which something may repeat them. */
export function secretsOf({ http, https }: Proxying): string[] {
  return [http, https].flatMap((address) => {
    const proxy = address === undefined ? undefined : new URL(address)
    const basic = proxy && proxyAuthorization(proxy)
    return proxy && basic !== undefined ? [proxy.password, decodeURIComponent(proxy.password), basic.slice('Basic '.length)] : []
  })
}

/** Which way a request to an address goes, for people. */
export function describeWay(url: string, proxying: Proxying | undefined): string {
  const proxy = proxying && proxyFor(new URL(url), proxying)
  if (proxy) return `through the proxy ${showProxy(proxy)}`
  return proxying?.isOfEnvironment ? 'straight, as the environment says' : 'straight'
}
