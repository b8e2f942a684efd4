// A provider without a background mode whose requests the account alone tells: what follows when its worker dies, or the run is cancelled.
import { expect, test } from 'vitest'
import { cancelRun } from '../../../../src/runs/cancel.ts'
import { loadRun } from '../../../../src/store/runs/show.ts'
import { someone } from '../../../support/actor.ts'
import { hostedApp, hostedJob, idWritten, responseRows, type HostedApp } from '../../../support/app/hosted.ts'
import { createLateAccounts } from '../../../support/gateway/late-accounts.ts'
import { openTestMinter } from '../../../support/gateway/minter.ts'

const SCRIPT = 'call counting__act {"n": 1}\ncall counting__look {}\nsay $1 $2'

/** A Nightshift whose hosted job goes by the connector of the Messages API. */
async function connectorApp(stack: AsyncDisposableStack, script: string, job?: string): Promise<HostedApp> {
  const { accounts, standFor } = createLateAccounts()
  const minter = stack.use(await openTestMinter({ accounts }))
  const one = stack.use(
    await hostedApp(script, {
      api: 'anthropic',
      ...(job !== undefined && { job }),
      config: {
        minter: { socket: minter.socket },
        accounts: { reports: { tokenFile: 'reports.token', perRun: true } },
        worker: { drainTimeout: '10ms' },
      },
    }),
  )
  standFor(one.testApp.world.gateway.accounts)
  return one
}

/** Stops the worker in the middle of `look`, and gives the run to another one. */
async function stopInTheMiddle({ testApp, server }: HostedApp, ended: Promise<unknown>): Promise<string> {
  server.answer = async (call) => {
    if (call.name === 'look') await ended
    return 'done'
  }
  await testApp.app.worker.start()
  const id = await testApp.queue('act')
  while ((await server.nextCall()).name !== 'look');
  await testApp.app.worker.stop()
  return id
}

test('when its worker dies, a call with an effect is not made again', async () => {
  await using stack = new AsyncDisposableStack()
  const one = await connectorApp(stack, SCRIPT)
  const held = Promise.withResolvers<void>()
  const id = await stopInTheMiddle(one, held.promise)
  await idWritten(one)
  held.resolve()
  await (await one.testApp.replica()).worker.start()
  expect(await one.testApp.ended(id)).toMatchObject({
    status: 'failed',
    failure: { code: 'OUTCOME_UNKNOWN' },
    toolCalls: [
      { tool: 'act', status: 'ok' },
      { tool: 'look', status: 'unknown' },
    ],
  })
  expect(one.server.effects).toHaveLength(1)
  expect(await responseRows(one)).toMatchObject([{ background: false }])
})

test('when its worker dies, what may run twice is asked for again, with another account', async () => {
  await using stack = new AsyncDisposableStack()
  const job = hostedJob('', 'counting: { allow: [look], repeatable: [look], minCalls: 0 }')
  const one = await connectorApp(stack, 'call counting__look {}\nsay $1', job)
  const held = Promise.withResolvers<void>()
  const id = await stopInTheMiddle(one, held.promise)
  one.server.answer = () => 'looked'
  held.resolve()
  await (await one.testApp.replica()).worker.start()
  expect(await one.testApp.ended(id)).toMatchObject({
    status: 'succeeded',
    outputText: 'looked',
    attempts: [{ status: 'lost' }, { status: 'succeeded' }],
  })
  expect(one.testApp.world.model.requests).toHaveLength(2)
})

test('a cancel closes the connection, and what was under way is unknown', async () => {
  await using stack = new AsyncDisposableStack()
  const one = await connectorApp(stack, SCRIPT)
  const held = Promise.withResolvers<void>()
  one.server.answer = async (call) => {
    if (call.name === 'look') await held.promise
    return 'done'
  }
  await one.testApp.app.worker.start()
  const id = await one.testApp.queue('act')
  while ((await one.server.nextCall()).name !== 'look');
  await cancelRun(one.testApp.app.db, id, someone())
  await one.testApp.ended(id)
  held.resolve()
  expect(await loadRun(one.testApp.app.db, id)).toMatchObject({
    status: 'cancelled',
    toolCalls: [
      { tool: 'act', status: 'ok' },
      { tool: 'look', status: 'unknown' },
    ],
  })
})
