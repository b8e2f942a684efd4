import { Failure } from './failure.ts'

/** Throws `QUEUE_UNAVAILABLE` for a server that cannot hold the queue, by what it tells of itself (`INFO`). One that tells nothing passes. */
export function requireOneRedis(about: string): void {
  if (/redis_mode:sentinel/.test(about))
    throw new Failure({
      code: 'QUEUE_UNAVAILABLE',
      message: 'This is a Redis Sentinel, which knows where the primary is and keeps nothing itself.',
      cure: 'Set redisUrl to an address that leads to the primary of the moment, such as a proxy that asks Sentinel, a name that moves with it or a service of Kubernetes, or take redisUrl out: the queue is then in Postgres.',
    })
  if (/cluster_enabled:1/.test(about))
    throw new Failure({
      code: 'QUEUE_UNAVAILABLE',
      message: 'Redis is a cluster, in which the keys of a queue are on several servers.',
      cure: 'Set redisUrl to one Redis server that is no cluster, or take it out: the queue is then in Postgres.',
    })
}

/** What mends a connection to Redis that its server refuses, by what was thrown; undefined when nothing more than its words is known. */
export function redisCure(message: string): string | undefined {
  if (/NOAUTH|WRONGPASS/.test(message))
    return 'Write user and password into redisUrl, redis://user:password@host:port, each special character with % and its code.'
  if (/NOPERM/.test(message))
    return 'Let the user of redisUrl use all commands that a queue needs: ACL SETUSER … ~* &* +@all -@admin +info.'
  if (/READONLY/.test(message))
    return 'Point redisUrl at the primary, or at an address that leads to it after a failover: this server is a replica.'
  if (/\bOOM\b/.test(message))
    return 'Give Redis more memory (maxmemory) and keep maxmemory-policy noeviction: it is full, and takes no entry of the queue.'
  if (/certificate|CERT/.test(message))
    return 'Name the file of its CA in the variable NODE_EXTRA_CA_CERTS, or correct the host in redisUrl.'
  return undefined
}
