import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { askConsent, disconnectServer, resumeConnected, waitForConsent, type ConnectionParts } from '../../src/accounts/connections.ts'
import { Failure } from '../../src/core/failure.ts'
import type { FailureCode } from '../../src/core/failure-codes.ts'
import type { GatewayFetch } from '../../src/core/ports/gateway.ts'
import type { Wake } from '../../src/core/ports/wake.ts'
import type { RouteList } from '../../src/pomerium/routes.ts'
import { loadStatus } from '../../src/store/runs/show.ts'
import { suspendRun } from '../../src/store/runs/suspend.ts'
import { opened, waitingForShop, writeRun } from '../support/database/attempts.ts'
import { createTestDatabase, type TestDatabase } from '../support/database/database.ts'
import { someone } from '../support/actor.ts'

const SHOP = { account: 'reports', server: 'shop' }
const NEVER = new AbortController().signal
const LONG_MS = 60_000

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

const shop = (connected: boolean): RouteList => ({
  routes: new Map([['shop', { name: 'shop', url: 'https://shop.localhost.pomerium.io', description: undefined, connected }]]),
  leftOut: new Map(),
})

/** The parts, with one answer of the route list after the other; the last one stays. */
function partsOf(...answers: (RouteList | FailureCode)[]) {
  const woken: Wake[] = []
  let asked = 0
  const parts: ConnectionParts = {
    db: database.db,
    producer: { wakeSoon: (wakes) => void woken.push(...wakes) },
    config: { accounts: { reports: {}, audit: {} } },
    gatewayFetch: (account) => (account === 'reports' ? () => Promise.reject(new Error('nothing is asked of a server here')) : undefined),
    async routes(account) {
      if (account !== 'reports') return undefined
      const answer = answers[Math.min(asked++, answers.length - 1)]
      if (typeof answer === 'string') throw new Failure({ code: answer, message: 'The route list is not there.' })
      return answer
    },
  }
  return { parts, woken, asked: () => asked }
}

describe('waitForConsent', () => {
  test('ends once the route list says that the server is connected', async () => {
    const { parts, asked } = partsOf(shop(false), shop(true))
    expect(await waitForConsent(parts, SHOP, LONG_MS, NEVER)).toBe(true)
    expect(asked()).toBe(2)
  })

  test('a gateway that does not answer for a while is waited for: the link lives on', async () => {
    const { parts, asked } = partsOf('GATEWAY_UNREACHABLE', shop(true))
    expect(await waitForConsent(parts, SHOP, LONG_MS, NEVER)).toBe(true)
    expect(asked()).toBe(2)
  })

  test('without the account nobody can follow the link, and waiting ends with the reason', async () => {
    const { parts } = partsOf('TOKEN_REJECTED')
    await expect(waitForConsent(parts, SHOP, LONG_MS, NEVER)).rejects.toMatchObject({ code: 'TOKEN_REJECTED' })
  })

  test('time that is over, and a signal, end it without consent', async () => {
    const { parts, asked } = partsOf(shop(false))
    expect(await waitForConsent(parts, SHOP, 0, NEVER)).toBe(false)
    expect(await waitForConsent(parts, SHOP, LONG_MS, AbortSignal.abort())).toBe(false)
    expect(asked()).toBe(0)
  })
})

test('resumeConnected lets the runs go on that wait for this server as this account, and tells the queue of them alone', async () => {
  const { db } = database
  const waiting = await writeRun(db)
  await suspendRun(db, await opened(db, waiting), waitingForShop)
  const elsewhere = await writeRun(db)
  await suspendRun(db, await opened(db, elsewhere), { ...waitingForShop, waitsFor: { ...waitingForShop.waitsFor, server: 'drive' } })
  const { parts, woken } = partsOf(shop(true))
  expect(await resumeConnected(parts, SHOP, someone())).toBe(1)
  expect(woken.map(({ id }) => id)).toEqual([waiting])
  expect(await loadStatus(db, waiting)).toMatchObject({ status: 'queued' })
  expect(await loadStatus(db, elsewhere)).toMatchObject({ status: 'waiting' })
  expect(await resumeConnected(parts, SHOP, someone())).toBe(0)
})

describe.for([
  [
    'askConsent',
    (parts: ConnectionParts, of: typeof SHOP, signal: AbortSignal) =>
      askConsent(parts, of, 'https://nightshift.localhost.pomerium.io/', signal),
  ],
  ['disconnectServer', (parts: ConnectionParts, of: typeof SHOP, signal: AbortSignal) => disconnectServer(parts, of, signal)],
] as const)('%s', ([, operation]) => {
  test('an account that the configuration does not have is named beside those that it has', async () => {
    await expect(operation(partsOf(shop(true)).parts, { account: 'nobody', server: 'shop' }, NEVER)).rejects.toMatchObject({
      code: 'COMMAND_INVALID',
      message: 'There is no account nobody in the configuration.',
      cure: 'There are reports, audit.',
    })
  })

  test('a server that Pomerium does not list is named beside those that it lists', async () => {
    await expect(operation(partsOf(shop(true)).parts, { account: 'reports', server: 'drive' }, NEVER)).rejects.toMatchObject({
      code: 'ROUTE_UNKNOWN',
      message: 'Pomerium lists no MCP route drive; it lists shop.',
    })
  })
  test('a gateway that does not answer keeps nobody who does not want to wait any more', async () => {
    const { parts } = partsOf(shop(true))
    const leaving = new AbortController()
    const silent: GatewayFetch = async (_url, _init, { signal } = {}) => {
      leaving.abort(new Error('enough'))
      signal?.throwIfAborted()
      return new Response()
    }
    await expect(operation({ ...parts, gatewayFetch: () => silent }, SHOP, leaving.signal)).rejects.toThrow('enough')
  })
})
