// For a container's health check. Exit code 0 when the process beside it answers, or has no port to be asked at: without an api: section, or with another command
// than start, such as audit follow. A worker whose event loop is blocked is its watchdog's.
import { readFileSync } from 'node:fs'
// oxlint-disable-next-line waits/bounded -- the signal bounds it
import { Agent, get } from 'node:http'
import { argv, env, exit } from 'node:process'
import { parse } from 'yaml'

const TIMEOUT_MS = 4000

/** Where the first process of the container listens; undefined when it has no port. */
function addressOf(words) {
  if (words.some((word) => word.endsWith('bin.js')) && !words.includes('start')) return undefined
  const option = words.findIndex((word) => word === '-c' || word === '--config')
  const file = option < 0 ? (env.NIGHTSHIFT_CONFIG ?? 'config/nightshift.yaml') : words[option + 1]
  const { api } = parse(readFileSync(file, 'utf8'))
  if (api === undefined) return undefined
  const listen = String(api?.listen ?? '127.0.0.1:8480').replace(
    /\$\{(\w+)(?::-([^}]*))?\}/g,
    (_, name, other) => env[name] || (other ?? ''),
  )
  return listen.replace(/^(?:0\.0\.0\.0|\[::\]):/, '127.0.0.1:')
}

const address = addressOf(readFileSync(argv[2] ?? '/proc/1/cmdline', 'utf8').split('\0'))
if (address !== undefined) {
  // With an agent of its own: a proxy of the environment (NODE_USE_ENV_PROXY) has no way to this container.
  get(`http://${address}/livez`, { agent: new Agent(), signal: AbortSignal.timeout(TIMEOUT_MS) }, ({ statusCode }) =>
    exit(statusCode === 200 ? 0 : 1),
  ).on('error', () => exit(1))
}
