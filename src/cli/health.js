// For a container's health check: exit code 0 when the process beside it answers.
// oxlint-disable-next-line waits/bounded -- the signal bounds it
import { Agent, get } from 'node:http'

// With an agent of its own: a proxy of the environment (NODE_USE_ENV_PROXY) has no way to this container.
get('http://127.0.0.1:8480/livez', { agent: new Agent(), signal: AbortSignal.timeout(4000) }, ({ statusCode }) =>
  process.exit(statusCode === 200 ? 0 : 1),
).on('error', () => process.exit(1))
