// @ts-nocheck
import { startLaborServer } from './labor.ts'

/** The labor server alone, for a compose file: `node src/demo/servers/labor-main.ts HOST PORT`. */
const [host = '127.0.0.1', port = '8080'] = process.argv.slice(2)
const server = await startLaborServer({ host, port: Number(port) })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server[Symbol.asyncDispose]())
