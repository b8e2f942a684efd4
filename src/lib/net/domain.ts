import { isIP } from 'node:net'
import { parse } from 'tldts'

/** True where anybody can have a name below this one, such as co.uk or github.io. */
function isPublic(domain: string): boolean {
  const { publicSuffix, isIcann, isPrivate } = parse(domain, { allowPrivateDomains: true })
  return publicSuffix === domain && (isIcann === true || isPrivate === true)
}

/**
 * True for a host that belongs to the same domain as `home`: itself, a name below it, or one beside it, unless anybody can have a name there. An IP address
 * belongs to no domain but itself.
 */
export function isOfDomain(host: string, home: string): boolean {
  if (host === home) return true
  if (isIP(home.replaceAll(/[[\]]/g, '')) !== 0) return false
  const parent = home.split('.').slice(1).join('.')
  return host.endsWith(`.${home}`) || (parent !== '' && !isPublic(parent) && (host === parent || host.endsWith(`.${parent}`)))
}
