// The health check of the image, in the place of a container's first process that has one or the other command line.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { freePort, serveHttp } from '../support/net/listen.ts'

const HEALTH = join(import.meta.dirname, '../../src/cli/health.js')
const dir = mkdtempSync(join(tmpdir(), 'nightshift-health-'))
afterAll(() => rmSync(dir, { recursive: true }))

async function healthOf(config: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number | null> {
  const file = join(dir, 'nightshift.yaml')
  writeFileSync(file, config)
  writeFileSync(join(dir, 'cmdline'), words.join('\0'))
  const child = spawn(process.execPath, [HEALTH, join(dir, 'cmdline')], { env: { NIGHTSHIFT_CONFIG: file, ...env }, stdio: 'ignore' })
  const [code] = await once(child, 'exit')
  return code
}

const START = ['/sbin/docker-init', '--', 'node', 'dist/cli/bin.js', 'start', '--only', 'worker']

test('a process is healthy as long as it answers where it listens, whatever port that is', async () => {
  let status = 200
  const server = await serveHttp((req, res) => res.writeHead(req.url === '/livez' ? status : 404).end())
  const { port } = new URL(server.url)
  expect(await healthOf(`api: { listen: "0.0.0.0:${port}" }`, START)).toBe(0)
  expect(await healthOf('api: { listen: "127.0.0.1:${PORT:-1}" }', START, { PORT: port })).toBe(0)
  expect(await healthOf(`api: { listen: "127.0.0.1:${port}" }`, START, { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: 'http://127.0.0.1:1' })).toBe(
    0,
  )
  status = 503
  expect(await healthOf(`api: { listen: "0.0.0.0:${port}" }`, START)).toBe(1)
  await server.close()
})

test('one that listens and does not answer is not healthy', async () => {
  expect(await healthOf(`api: { listen: "127.0.0.1:${await freePort()}" }`, START)).toBe(1)
})

test('one that has no port has nothing to be asked', async () => {
  expect(await healthOf('jobsDir: ../jobs', START)).toBe(0)
  const listens = `api: { listen: "127.0.0.1:${await freePort()}" }`
  expect(await healthOf(listens, ['node', 'dist/cli/bin.js', 'audit', 'follow', '/var/log/pomerium.log'])).toBe(0)
  expect(await healthOf(listens, ['node', 'dist/cli/bin.js', 'minter', 'minter.yaml'])).toBe(0)
})
