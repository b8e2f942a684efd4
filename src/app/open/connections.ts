import type { Config } from '../../config/load.ts'

const SPARE_CONNECTIONS = 6
const MAX_CONNECTIONS = 20

/** Most connections of the pool of a process. */
export const poolSize = ({ worker }: Partial<Pick<Config, 'worker'>>) =>
  Math.min(MAX_CONNECTIONS, (worker?.concurrency ?? 0) + SPARE_CONNECTIONS)

/** The heartbeat and the watchdog have one each. */
const OWN_CONNECTIONS = 2
/** A queue in Postgres: pools of ten for the queue and for the worker, and one more of each for notices. */
const QUEUE_CONNECTIONS = 22

/** Most connections to Postgres that a process opens. */
export const mostConnections = (config: Config) =>
  poolSize(config) + OWN_CONNECTIONS + (config.redisUrl === undefined ? QUEUE_CONNECTIONS : 0)
