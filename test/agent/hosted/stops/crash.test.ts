import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { OPENAI_HABITS } from '../../../../src/demo/model/vendors/habits.ts'
import { query } from '../../../../src/store/postgres/db.ts'
import { cancelRun } from '../../../../src/runs/cancel.ts'
import { loadRun } from '../../../../src/store/runs/show.ts'
import { askedOf, hostedApp, hostedJob, idWritten, responseRows, type HostedApp } from '../../../support/app/hosted.ts'
import { until } from '../../../support/until.ts'
import { someone } from '../../../support/actor.ts'

const SCRIPT = 'call counting__act {"n": 1}\ncall counting__look {}\nsay $1 $2'
const IN_BACKGROUND = { background: true, config: { worker: { drainTimeout: '10ms' } } }

/** Stops the worker in the middle of `look`, after `act` is over, and gives the run to another one. */
async function stopInTheMiddle(one: HostedApp): Promise<{ id: string; release: () => void }> {
  const { testApp, server } = one
  const held = Promise.withResolvers<string>()
  server.answer = (call) => (call.name === 'look' ? held.promise : 'acted')
  await testApp.app.worker.start()
  const id = await testApp.queue('act')
  while ((await server.nextCall()).name !== 'look');
  await idWritten(one)
  await testApp.app.worker.stop()
  return { id, release: () => held.resolve('looked') }
}

/** Resolves when the provider says that its answer is over. */
async function answerIsOver(one: HostedApp): Promise<void> {
  const url = `${one.testApp.world.model.url}/responses/${await idWritten(one)}`
  await until(async () => {
    const answer = await fetch(url, { headers: { authorization: 'Bearer demo-model-key' } })
    return z.object({ status: z.string() }).parse(await answer.json()).status === 'completed'
  })
}

test('a background answer is found again by the next worker, and nothing is asked or done twice', async () => {
  await using one = await hostedApp(SCRIPT, IN_BACKGROUND)
  const { id, release } = await stopInTheMiddle(one)
  const [open] = await responseRows(one)
  expect(open).toMatchObject({ turn: 1, attempt: 1, background: true, state: 'started' })
  await (await one.testApp.replica()).worker.start()
  release()
  const run = await one.testApp.ended(id)
  expect(run).toMatchObject({
    status: 'succeeded',
    outputText: 'acted looked',
    attempts: [{ status: 'lost' }, { status: 'succeeded' }],
    turns: [{ number: 1, attempt: 2, responseId: open?.response_id }],
    toolCalls: [
      { tool: 'act', status: 'ok' },
      { tool: 'look', status: 'ok' },
    ],
  })
  expect(one.testApp.world.model.requests).toHaveLength(1)
  expect(one.server.effects).toHaveLength(1)
})

test('a background answer that ended while no worker ran is read from its beginning', async () => {
  const budgets = { jobs: { act: { tokens: 1_000_000 } } }
  await using one = await hostedApp(SCRIPT, { ...IN_BACKGROUND, config: { ...IN_BACKGROUND.config, budgets } })
  const { id, release } = await stopInTheMiddle(one)
  const today = () => query<{ tokens: number }>(one.testApp.database.db, 'select tokens::int as tokens from budget_days')
  expect((await today())[0]?.tokens).toBeGreaterThan(2048)
  release()
  await answerIsOver(one)
  await (await one.testApp.replica()).worker.start()
  const run = await one.testApp.ended(id)
  expect(run).toMatchObject({
    status: 'succeeded',
    outputText: 'acted looked',
    toolCalls: [{ status: 'ok' }, { status: 'ok' }],
  })
  // What the attempt before took for it is replaced by what it used.
  expect(await today()).toEqual([{ tokens: run.usage.inputTokens + run.usage.outputTokens }])
  expect(one.testApp.world.model.requests).toHaveLength(1)
})

test('without background mode, what a stopped worker leaves is unknown, and the provider is not asked again', async () => {
  await using one = await hostedApp(SCRIPT, { config: { worker: { drainTimeout: '10ms' } } })
  const { id } = await stopInTheMiddle(one)
  await (await one.testApp.replica()).worker.start()
  expect(await one.testApp.ended(id)).toMatchObject({
    status: 'failed',
    failure: { code: 'OUTCOME_UNKNOWN' },
    attempts: [{ status: 'lost' }, { status: 'failed' }],
    toolCalls: [
      { tool: 'act', status: 'ok' },
      { tool: 'look', status: 'unknown' },
    ],
  })
  expect(one.testApp.world.model.requests).toHaveLength(1)
  expect(one.server.effects).toHaveLength(1)
})

test('without background mode, a job whose every tool is repeatable is asked again', async () => {
  await using one = await hostedApp('call counting__look {}\nsay $1', {
    config: { worker: { drainTimeout: '10ms' } },
    job: hostedJob('', 'counting: { allow: [look], repeatable: [look], minCalls: 0 }'),
  })
  const { id } = await stopInTheMiddle(one)
  one.server.answer = () => 'looked'
  await (await one.testApp.replica()).worker.start()
  expect(await one.testApp.ended(id)).toMatchObject({
    status: 'succeeded',
    outputText: 'looked',
    attempts: [{ status: 'lost' }, { status: 'succeeded' }],
    turns: [{ number: 2 }],
  })
  expect(one.testApp.world.model.requests).toHaveLength(2)
})

test.each(['insert', 'update'])(
  'what the store refused of a call (%s) is written when the answer is attached to again',
  async (operation) => {
    await using one = await hostedApp('call counting__look {}\ncut\ncall counting__act {"n": 1}\nsay $1 $2', { background: true })
    await query(one.testApp.app.db, 'create sequence refusals')
    await query(
      one.testApp.app.db,
      `create function refuse_once() returns trigger language plpgsql as $$
     begin
       if new.tool #>> '{}' = 'act' and nextval('refusals') = 1 then raise exception 'not now' using errcode = '22000'; end if;
       return new;
     end $$`,
    )
    await query(
      one.testApp.app.db,
      `create trigger refuse_once before ${operation} on tool_calls for each row execute function refuse_once()`,
    )
    expect(await one.testApp.run('act')).toMatchObject({
      status: 'succeeded',
      attempts: [{ status: 'succeeded' }],
      toolCalls: [
        { tool: 'look', status: 'ok' },
        { tool: 'act', status: 'ok', result: { text: 'done' } },
      ],
    })
    expect(one.server.effects).toHaveLength(1)
  },
)

test('a background answer whose stream is cut is attached to again in the same attempt', async () => {
  await using one = await hostedApp('call counting__act {"n": 1}\ncut\ncall counting__look {}\nsay $1 $2', { background: true })
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'succeeded',
    outputText: 'done done',
    attempts: [{ status: 'succeeded' }],
    toolCalls: [{ tool: 'act' }, { tool: 'look' }],
  })
  expect(one.testApp.world.model.requests).toHaveLength(1)
  expect(one.server.effects).toHaveLength(1)
})

test('a background answer whose stream ends without its last event is attached to again', async () => {
  await using one = await hostedApp('call counting__act {"n": 1}\nsilent\nsay $1', { background: true })
  expect(await one.testApp.run('act')).toMatchObject({ status: 'succeeded', outputText: 'done', attempts: [{ status: 'succeeded' }] })
  expect(one.testApp.world.model.requests).toHaveLength(1)
})

test('asks for what a crash needs, and for nothing of it where the provider has no background mode', async () => {
  await using background = await hostedApp('say hello', { background: true })
  await background.testApp.run('act')
  expect(askedOf(background)).toMatchObject([{ background: true, store: true }])
  await using plain = await hostedApp('say hello')
  await plain.testApp.run('act')
  expect(askedOf(plain)[0]).not.toHaveProperty('background')
  expect(askedOf(plain)[0]).not.toHaveProperty('store')
})

test('the id of an answer is durable before the row of its first call', async () => {
  await using one = await hostedApp('call counting__act {}\nsay $1', { background: true })
  const { db } = one.testApp.database
  await query(
    db,
    `create function id_first() returns trigger language plpgsql as $$ begin
       if not exists (select 1 from responses r where r.run_id = new.run_id and r.turn = new.turn and r.response_id is not null) then
         raise exception 'a call without the id of its answer';
       end if;
       return new; end $$`,
  )
  await query(db, 'create constraint trigger id_first after insert on tool_calls for each row execute function id_first()')
  expect(await one.testApp.run('act')).toMatchObject({ status: 'succeeded', toolCalls: [{ status: 'ok' }] })
})

/** Holds the next call and tells when the provider gives it up. */
async function heldCall({ testApp, server }: HostedApp): Promise<{ id: string; gone: Promise<unknown> }> {
  const response = Promise.withResolvers<ServerResponse>()
  server.answer = (_, __, res) => {
    response.resolve(res)
    return new Promise(() => {})
  }
  await testApp.app.worker.start()
  const id = await testApp.queue('act')
  const res = await response.promise
  return { id, gone: once(res, 'close') }
}

test.each([true, false])('a cancelled run ends its answer at the provider (background: %s)', async (background) => {
  await using one = await hostedApp('call counting__act {}\nsay $1', { background })
  const { id, gone } = await heldCall(one)
  await idWritten(one)
  await cancelRun(one.testApp.database.db, id, someone())
  await gone
  expect(await one.testApp.ended(id)).toMatchObject({
    status: 'cancelled',
    failure: { code: 'CANCELLED' },
    toolCalls: [{ tool: 'act', status: 'unknown' }],
  })
  expect(await responseRows(one)).toMatchObject([{ state: 'over' }])
  expect(one.testApp.world.model.requests).toHaveLength(1)
})

test('near the deadline the answer is ended at the provider, and the model answers with what there is', async () => {
  await using one = await hostedApp('call counting__act {}\nsay late', { background: true, job: hostedJob('limits: { deadline: 4s }') })
  const { id, gone } = await heldCall(one)
  await gone
  const run = await one.testApp.ended(id)
  expect(run).toMatchObject({ status: 'incomplete', outputText: 'late', toolCalls: [{ status: 'unknown' }] })
  expect(run.reasons.map(({ code }) => code)).toEqual(['DEADLINE', 'OUTCOME_UNKNOWN'])
  expect(askedOf(one)).toHaveLength(2)
  expect(askedOf(one)[1]?.tools).toBeUndefined()
})

test('a worker that is only stopped leaves a background answer at work', async () => {
  await using one = await hostedApp('call counting__act {}\nsay $1', IN_BACKGROUND)
  const held = Promise.withResolvers<string>()
  let left = false
  one.server.answer = (_, __, res) => {
    res.once('close', () => (left = !res.writableFinished))
    return held.promise
  }
  await one.testApp.app.worker.start()
  const id = await one.testApp.queue('act')
  await one.server.nextCall()
  await idWritten(one)
  await one.testApp.app.worker.stop()
  expect(await loadRun(one.testApp.database.db, id)).toMatchObject({ status: 'queued' })
  held.resolve('done')
  await (await one.testApp.replica()).worker.start()
  expect(await one.testApp.ended(id)).toMatchObject({ status: 'succeeded', outputText: 'done' })
  expect(left).toBe(false)
})

test('tool calls over the limit end the answer, and the model answers with what there is', async () => {
  const calls = Array.from({ length: 5 }, (_, n) => `call counting__act {"n": ${n}}`).join('\n')
  await using one = await hostedApp(`${calls}\nsay enough`, {
    background: true,
    job: hostedJob('limits: { toolCalls: 2 }'),
    server: { habits: { ...OPENAI_HABITS, mostCalls: 'ignored' } },
  })
  const third: ServerResponse[] = []
  one.server.answer = (call, _, res) => {
    if (call.arguments['n'] !== 2) return 'done'
    third.push(res)
    return new Promise(() => {})
  }
  const run = await one.testApp.run('act')
  // The answer may have been stopped before its third call; a call that was made is given up.
  for (const res of third) if (!res.closed) await once(res, 'close')
  expect(run).toMatchObject({ status: 'incomplete', outputText: 'enough', turns: [{ stopReason: 'stopped' }, { number: 2 }] })
  expect(run.reasons[0]).toMatchObject({ code: 'BUDGET_TOOL_CALLS' })
  expect(askedOf(one)).toHaveLength(2)
  expect(JSON.stringify(askedOf(one)[1]?.input)).toContain('"output":"done"')
  expect(one.server.effects.length).toBeLessThan(5)
})
