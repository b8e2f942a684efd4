import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

/** Tells this process from all others, also of the same host. */
export const processName = () => `${hostname()}:${process.pid}:${randomBytes(2).toString('hex')}`
