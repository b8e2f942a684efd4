import { Readable } from 'node:stream'
import { pino } from 'pino'
import { expect, inject, test } from 'vitest'
import { openAudit } from '../../src/app/open/audit.ts'
import { readLog } from '../../src/audit/read.ts'
import { cancelRun } from '../../src/runs/cancel.ts'
import { TOKEN_LINES } from '../support/app/api.ts'
import { startReceiver } from '../support/delivery/receiver.ts'
import { authorizeLine } from '../support/log/log-lines.ts'
import type { Canaries } from './canaries.ts'
import { everythingKept } from './kept.ts'
import { meetAll, type CanaryWorld } from './meet.ts'
import { placesIn, planted } from '../support/wire/places.ts'
import { someone } from '../support/actor.ts'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** Lines of the gateway's log with secrets in each field, one a line. */
function logLines({ each }: Canaries, accountId: string): string[] {
  const line: unknown = JSON.parse(authorizeLine({ 'service-account-id': accountId, headers: { 'x-nightshift-run-id': 'run_1' }, 'mcp-tool-parameters': { n: 1, list: ['a'] } })) // prettier-ignore
  const all = Object.values(each)
  return placesIn(line).flatMap((place, n) =>
    [all.join(' '), all[n % all.length] ?? ''].map((text) => JSON.stringify(planted(line, new Set([place]), text))),
  )
}

/** Reads them as a process of its own does, and returns what it logs. */
async function importLines({ testApp }: CanaryWorld, lines: readonly string[]): Promise<string> {
  const said: string[] = []
  await using audit = await openAudit(testApp.app.config, pino({ level: 'debug' }, { write: (line) => void said.push(line) }))
  await readLog(audit, Readable.from(lines.map((line) => Buffer.from(`${line}\n`))), new AbortController().signal)
  return said.join('')
}

/** Where a secret is found, each with the answer that brought it. */
function found(kept: readonly (readonly [where: string, text: string])[], { met, canaries }: CanaryWorld): string[] {
  const about = new Map(met.map(({ runId, plan }) => [runId, `${plan.row.name}, ${plan.where}, ${plan.what}`]))
  return kept.flatMap(([where, text]) =>
    canaries.found
      .filter((canary) => text.includes(canary))
      .map((canary) => {
        const at = text.indexOf(canary)
        const [, answer] = [...about].find(([runId]) => where.includes(runId) || text.includes(runId)) ?? []
        return `${where} (${answer ?? 'no run'}): ${text.slice(Math.max(0, at - 120), at + 40)}`
      }),
  )
}

// Each kind of answer has a row in rows.ts; where a secret can stand in it is found by its structure, and so is what is kept.
test('a secret in any field of any answer is found nowhere', { timeout: 600_000 }, async () => {
  const redisUrl = inject('redisUrl') ?? undefined
  const told: { canaries?: Canaries } = {}
  await using receiver = await startReceiver((_, res) => {
    const words = Object.values(told.canaries?.each ?? {}).join(' ')
    res.writeHead(received() % 3 === 0 ? 500 : 204, words.slice(0, 60).replaceAll(' ', '-'), { 'x-odd': words, 'retry-after': words })
    res.end(words)
    return undefined
  })
  const received = () => receiver.received.length
  await using world = await meetAll(redisUrl, {
    webhooks: { hook: { url: receiver.url, secret: SECRET } },
    reportsDir: './reports',
    alerts: { webhook: 'hook' },
    api: { listen: '127.0.0.1:0', tokens: { operator: TOKEN_LINES['operator'] } },
  })
  told.canaries = world.canaries
  // A run that waits for a person is followed for ever.
  for (const { runId, status } of world.met) if (status === 'waiting') await cancelRun(world.testApp.app.db, runId, someone())
  const { app, world: outside } = world.testApp
  await app.outbox.start()
  const server = app.createApiServer()
  if (!server) throw new Error('there is no api section')
  await server.start()
  const said = await importLines(world, logLines(world.canaries, outside.account.id))
  await expect.poll(received).toBeGreaterThan(world.met.length / 2)
  const kept = await everythingKept(world, server.url(), receiver, redisUrl)
  kept.push(['audit import', said])
  await server.stop()
  expect(found(kept, world).slice(0, 20)).toEqual([])
  // The dump is not empty by mistake, and what is harmless is kept.
  expect(kept.filter(([, text]) => text.includes('[secret]')).length).toBeGreaterThan(1000)
})
