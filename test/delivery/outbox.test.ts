import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { MAX_DELIVERY_TRIES } from '../../src/core/rules/delivery.ts'
import type { Sender, SendResult } from '../../src/delivery/destinations/destination.ts'
import { openDestinations } from '../../src/delivery/destinations/registry.ts'
import { createWebhookSender } from '../../src/delivery/destinations/webhook.ts'
import { createOutbox } from '../../src/delivery/outbox.ts'
import { retryByFilter } from '../../src/runs/retry.ts'
import { query } from '../../src/store/postgres/db.ts'
import { endDeliveryTry, listDeliveries, takeDueDeliveries } from '../../src/store/delivery/deliveries.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { addDeliveries as more, deliveringJob as job } from '../support/delivery/deliveries.ts'
import { startReceiver, type Received, type Receiver } from '../support/delivery/receiver.ts'
import { buildTestApp, type TestApp } from '../support/app/test-app.ts'
import { someone } from '../support/actor.ts'

const SECRET = `whsec_${Buffer.from('a secret of twenty-four bytes and more').toString('base64')}`

const withTeam = ({ url }: Receiver) => ({ webhooks: { team: { url, secret: SECRET } } })
const toTeam = job('[{ webhook: team }]')
const say = (text: string) => ({ scripted: `say ${text}` })

/** The time of the next try has come. */
/** How long the delivery that is pending waits, by the clock that decides. */
const WAIT = `select extract(epoch from next_try_at - now())::float8 * 1000 as "waitMs" from deliveries where status = 'pending'`
const due = ({ app }: TestApp) => query(app.db, "update deliveries set next_try_at = now() where status = 'pending'")

/** A report whose first delivery is due. */
async function reported(testApp: TestApp): Promise<string> {
  const { id } = await testApp.run('report')
  return id
}

test('a finished run is sent once, signed, as a CloudEvent, and its row says so', async () => {
  await using receiver = await startReceiver()
  await using testApp = await buildTestApp({ jobs: { report: toTeam }, scripts: say('done'), config: withTeam(receiver) })
  const id = await reported(testApp)
  const [before] = await listDeliveries(testApp.app.db, id)
  expect(before).toMatchObject({ status: 'pending', tries: 0, attempt: 1, target: { kind: 'webhook', name: 'team' } })
  await testApp.app.outbox.round()
  await testApp.app.outbox.round()
  expect(receiver.received).toHaveLength(1)
  const [received] = receiver.received
  if (!received) throw new Error('nothing came')
  const { headers, body } = received
  const event: unknown = new Webhook(SECRET).verify(body, {
    'webhook-id': String(headers['webhook-id']),
    'webhook-timestamp': String(headers['webhook-timestamp']),
    'webhook-signature': String(headers['webhook-signature']),
  })
  expect(event).toMatchObject({ specversion: '1.0', id: before?.id, subject: id, data: { status: 'succeeded', outputText: 'done' } })
  expect(headers['webhook-id']).toBe(before?.id)
  expect(await listDeliveries(testApp.app.db, id)).toMatchObject([{ status: 'delivered', tries: 1, error: null, nextTryAt: null }])
})

test('a receiver that fails is tried again at growing intervals, in the end no more, and the run stays as it was', async () => {
  await using receiver = await startReceiver(() => 500)
  await using testApp = await buildTestApp({ jobs: { report: toTeam }, scripts: say('done'), config: withTeam(receiver) })
  const { app } = testApp
  const id = await reported(testApp)
  const before = await loadRun(app.db, id)
  const waits: number[] = []
  const outbox = createOutbox({
    db: app.db,
    destinations: openDestinations(
      { reportsDir: testApp.dir, reportsReadableBy: 'owner', webhooks: { team: { url: receiver.url, secret: SECRET } } },
      { read: (_, value) => value, redact: () => {} },
    ),
    log: pino({ level: 'silent' }),
  })
  for (let n = 1; n <= MAX_DELIVERY_TRIES; n++) {
    await outbox.round()
    const [delivery] = await listDeliveries(app.db, id)
    const [{ waitMs } = { waitMs: null }] = await query<{ waitMs: number | null }>(app.db, WAIT)
    expect(delivery).toMatchObject({ tries: n, error: 'HTTP 500', status: n < MAX_DELIVERY_TRIES ? 'pending' : 'failed' })
    if (delivery?.status === 'pending' && waitMs !== null) waits.push(waitMs)
    await due(testApp)
  }
  await outbox.round()
  await outbox.stop()
  expect(receiver.received).toHaveLength(MAX_DELIVERY_TRIES)
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  for (const [i, wait] of waits.entries()) expect(wait).toBeGreaterThan(0.5 * Math.min(10_000 * 2 ** i, 3 * 3_600_000))
  expect(await loadRun(app.db, id)).toEqual(before)
})

test('a receiver that is gone for good is not asked again', async () => {
  await using receiver = await startReceiver(() => 410)
  await using testApp = await buildTestApp({ jobs: { report: toTeam }, scripts: say('done'), config: withTeam(receiver) })
  const id = await reported(testApp)
  await testApp.app.outbox.round()
  await due(testApp)
  await testApp.app.outbox.round()
  expect(receiver.received).toHaveLength(1)
  expect(await listDeliveries(testApp.app.db, id)).toMatchObject([{ status: 'failed', error: 'HTTP 410', tries: 1 }])
})

test('the secret is in no log line, no row and no error', async () => {
  await using receiver = await startReceiver((_, res) => void res.destroy())
  await using testApp = await buildTestApp({ jobs: { report: toTeam }, scripts: say('done'), config: withTeam(receiver) })
  const id = await reported(testApp)
  await testApp.app.outbox.round()
  const rows = await query(testApp.app.db, 'select to_jsonb(d) as d from deliveries d')
  const everything = JSON.stringify([
    testApp.log,
    rows,
    await loadRun(testApp.app.db, id),
    await query(testApp.app.db, 'select definition from job_versions'),
  ])
  expect(everything).toContain('The report could not be delivered; it is tried again.')
  expect(everything).not.toContain(SECRET.slice(6))
})

test('a secret file that was replaced signs from the next report on; one that is broken costs a try and no report', async () => {
  await using receiver = await startReceiver()
  await using testApp = await buildTestApp({
    jobs: { report: toTeam },
    scripts: say('done'),
    files: { 'team.secret': SECRET },
    config: { webhooks: { team: { url: receiver.url, secretFile: './team.secret' } } },
  })
  const { outbox } = testApp.app
  const other = `whsec_${Buffer.from('another secret of twenty-four bytes').toString('base64')}`
  const verify = (secret: string, { headers, body }: Received) =>
    new Webhook(secret).verify(body, {
      'webhook-id': String(headers['webhook-id']),
      'webhook-timestamp': String(headers['webhook-timestamp']),
      'webhook-signature': String(headers['webhook-signature']),
    })
  await reported(testApp)
  await outbox.round()
  const write = (secret: string) => writeFileSync(join(testApp.dir, 'team.secret'), secret)
  write('half of a sec')
  const id = await reported(testApp)
  await outbox.round()
  expect(await listDeliveries(testApp.app.db, id)).toMatchObject([
    { status: 'pending', tries: 1, error: expect.stringContaining('cannot sign') },
  ])
  write(`${other}\n`)
  await due(testApp)
  await outbox.round()
  const [first, second] = receiver.received
  if (!first || !second) throw new Error('nothing came')
  verify(SECRET, first)
  verify(other, second)
  expect(() => verify(SECRET, second)).toThrow('signature')
  expect(testApp.log.join('')).not.toContain('half of a sec')
})

test('a webhook whose URL holds a password is refused when the configuration is read', async () => {
  const config = { webhooks: { team: { url: 'https://user:hunter2@hooks.example/', secret: SECRET } } }
  const built = buildTestApp({ jobs: {}, config })
  await expect(built).rejects.toThrow('webhooks.team.url must hold no user and no password')
  await expect(built).rejects.not.toThrow('hunter2')
})

test('three workers share one outbox: fifty reports, each sent once', async () => {
  await using receiver = await startReceiver()
  await using testApp = await buildTestApp({ jobs: { report: toTeam }, scripts: say('done'), config: withTeam(receiver) })
  const id = await reported(testApp)
  await query(
    testApp.app.db,
    `insert into deliveries (id, run_id, attempt, target) select gen_random_uuid(), $1, 1, '{"kind":"webhook","name":"team"}' from generate_series(1, 49)`,
    [id],
  )
  const others = [await testApp.replica(), await testApp.replica()]
  await Promise.all([testApp.app, ...others].map(({ outbox }) => outbox.round()))
  expect(receiver.received).toHaveLength(50)
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(50)
  expect(await query(testApp.app.db, 'select status, tries, count(*)::int as n from deliveries group by 1, 2')).toEqual([
    { status: 'delivered', tries: 1, n: 50 },
  ])
})

test('a report whose worker died after it took it is sent by another one once the lease is over', async () => {
  await using receiver = await startReceiver()
  await using testApp = await buildTestApp({ jobs: { report: toTeam }, scripts: say('done'), config: withTeam(receiver) })
  const { app } = testApp
  const id = await reported(testApp)
  expect(await takeDueDeliveries(app.db, { limit: 20, perPlace: 4, busy: new Map(), leaseMs: 60_000 })).toHaveLength(1)
  await app.outbox.round()
  expect(receiver.received).toHaveLength(0)
  await query(app.db, "update deliveries set next_try_at = next_try_at - interval '1 minute'")
  await app.outbox.round()
  expect(receiver.received).toHaveLength(1)
  expect(await listDeliveries(app.db, id)).toMatchObject([{ status: 'delivered', tries: 2 }])
})

test('the outbox looks by itself once it is started, and lets a delivery under way end when it is stopped', async () => {
  await using receiver = await startReceiver()
  await using testApp = await buildTestApp({ jobs: { report: toTeam }, scripts: say('done'), config: withTeam(receiver) })
  const { outbox, db } = testApp.app
  const gate = Promise.withResolvers<number>()
  receiver.reply = () => gate.promise
  const id = await reported(testApp)
  const came = receiver.next()
  await outbox.start()
  await outbox.start()
  await came
  const stopped = outbox.stop()
  gate.resolve(204)
  await stopped
  await outbox.stop()
  expect(receiver.received).toHaveLength(1)
  expect(await listDeliveries(db, id)).toMatchObject([{ status: 'delivered', tries: 1 }])
})

test('one bad receiver does not keep the other targets of the run from their report', async () => {
  await using receiver = await startReceiver(() => 500)
  await using testApp = await buildTestApp({
    jobs: { report: job('[{ webhook: team }, { file: hr }, { file: hr, when: always }]') },
    scripts: say('done'),
    config: { ...withTeam(receiver), reportsDir: './reports' },
  })
  const id = await reported(testApp)
  await testApp.app.outbox.round()
  const deliveries = await listDeliveries(testApp.app.db, id)
  expect(deliveries.map(({ target, status }) => `${target.kind} ${status}`).toSorted()).toEqual([
    'file delivered',
    'file delivered',
    'webhook pending',
  ])
  expect(readdirSync(join(testApp.dir, 'reports/hr'))).toHaveLength(1)
})

test('a file that cannot be written is tried again', async () => {
  await using testApp = await buildTestApp({
    jobs: { report: job('[{ file: hr }]') },
    scripts: say('done'),
    config: { reportsDir: './reports' },
  })
  mkdirSync(join(testApp.dir, 'reports'))
  writeFileSync(join(testApp.dir, 'reports/hr'), 'in the way')
  const id = await reported(testApp)
  await testApp.app.outbox.round()
  expect(await listDeliveries(testApp.app.db, id)).toMatchObject([{ status: 'pending', tries: 1, error: expect.stringContaining('hr') }])
  expect(await loadRun(testApp.app.db, id)).toMatchObject({ status: 'succeeded', reasons: [], failure: null })
})

test('what is sent depends on when, and what is not sent is kept as skipped', async () => {
  await using testApp = await buildTestApp({
    jobs: { report: job('[{ file: always }, { file: changed, when: changed }, { file: bad, when: notGreen }]') },
    scripts: say('one'),
    config: { reportsDir: './reports' },
  })
  const { app, world } = testApp
  const statuses = async () => {
    const { id } = await testApp.run('report')
    const rows = await query<{ dir: string; status: string; ended: boolean }>(
      app.db,
      "select target->>'dir' as dir, status, ended_at is not null as ended from deliveries where run_id = $1 order by 1",
      [id],
    )
    return rows.map(({ dir, status, ended }) => `${dir} ${status}${ended ? '' : ' …'}`)
  }
  const script = (text: string) => (world.model.scripts['scripted'] = [{ kind: 'say', text }])
  expect(await statuses()).toEqual(['always pending …', 'bad skipped', 'changed pending …'])
  expect(await statuses()).toEqual(['always pending …', 'bad skipped', 'changed skipped'])
  script('two')
  expect(await statuses()).toEqual(['always pending …', 'bad skipped', 'changed pending …'])
  world.model.scripts['scripted'] = [{ kind: 'truncate', text: 'tw' }]
  expect((await statuses()).slice(0, 2)).toEqual(['always pending …', 'bad pending …'])
})

test('a report that was not sent before its run was retried is recalled, and the retry sends its own', async () => {
  await using receiver = await startReceiver(() => 500)
  await using testApp = await buildTestApp({
    jobs: { report: toTeam },
    scripts: { scripted: 'fail 401 invalid_api_key\nsay done' },
    config: withTeam(receiver),
  })
  const { app } = testApp
  const id = await reported(testApp)
  await app.outbox.round()
  const [taken] = await listDeliveries(app.db, id)
  await app.worker.stop()
  expect(await retryByFilter({ db: app.db, producer: app.producer, jobs: app.jobs.jobs() }, { ids: [id] }, 'latest', someone())).toBe(1)
  // A try that was under way changes nothing any more, unless the report did arrive.
  await endDeliveryTry(app.db, taken?.id ?? '', { status: 'pending', error: 'late', waitMs: 0 })
  await due(testApp)
  await app.outbox.round()
  expect(receiver.received).toHaveLength(1)
  expect(await listDeliveries(app.db, id)).toMatchObject([{ status: 'skipped', error: expect.stringContaining('retried') }])

  // One that was taken just before the retry finds a run that is not over.
  await query(app.db, "update deliveries set status = 'pending', next_try_at = now()")
  await app.outbox.round()
  expect(await listDeliveries(app.db, id)).toMatchObject([{ status: 'failed', error: expect.stringContaining('retried') }])
  expect(receiver.received).toHaveLength(1)

  receiver.reply = () => 200
  expect(await app.runner.execute(id, 'again', new AbortController().signal)).toMatchObject({ kind: 'finished', status: 'succeeded' })
  await app.outbox.round()
  expect(receiver.received).toHaveLength(2)
  expect(await listDeliveries(app.db, id)).toMatchObject([{ attempt: 1 }, { attempt: 2, status: 'delivered' }])
})

/** More reports of a run, all due. */
test('a receiver that accepts connections and never answers delays only its own reports', async () => {
  const answer = Promise.withResolvers<number>()
  await using hung = await startReceiver(() => answer.promise)
  await using healthy = await startReceiver()
  await using testApp = await buildTestApp({ jobs: { report: job('[]') }, scripts: say('done') })
  const { db } = testApp.app
  const id = await reported(testApp)
  // More than are under way at a time, and before all others.
  await more(db, id, { kind: 'webhook', name: 'hung' }, 40)
  await more(db, id, { kind: 'webhook', name: 'team' }, 20)
  await more(db, id, { kind: 'file', dir: 'hr' }, 20)
  const others = openDestinations(
    { reportsDir: testApp.dir, reportsReadableBy: 'owner', webhooks: { team: { url: healthy.url, secret: SECRET } } },
    { read: (_, value) => value, redact: () => {} },
  )
  // It is never given up here: whatever comes through comes beside it.
  const patient = createWebhookSender({ timeoutMs: 600_000 })
  const destinations: Sender = {
    send: (target, message) =>
      JSON.stringify(target).includes('hung')
        ? patient.post({ url: hung.url, secret: SECRET }, { id: message.id, body: '{}', contentType: 'application/json' })
        : others.send(target, message),
    close: async () => void (await Promise.all([others.close(), patient.close()])),
  }
  const outbox = createOutbox({ db, destinations, log: pino({ level: 'silent' }) })
  await outbox.start()
  const delivered = () =>
    query(db, "select target->>'kind' as kind, count(*)::int as n from deliveries where status = 'delivered' group by 1 order by 1")
  await expect.poll(delivered).toEqual([
    { kind: 'file', n: 20 },
    { kind: 'webhook', n: 20 },
  ])
  expect(hung.received).toHaveLength(4)
  const stopped = outbox.stop()
  answer.resolve(204)
  await stopped
  expect(await delivered()).toEqual([
    { kind: 'file', n: 20 },
    { kind: 'webhook', n: 24 },
  ])
})

test.each<[string, () => Promise<SendResult>]>([
  ['that did not answer three times in a row', async () => ({ ok: false, error: 'no answer', final: false, silent: true })],
  ['that never comes back, such as a file system that hangs,', () => Promise.race([])],
])('a receiver %s is sent nothing for a minute, which uses up no try of its other reports', async (_, hang) => {
  await using testApp = await buildTestApp({ jobs: { report: job('[{ file: hr }]') }, scripts: say('done') })
  const { db } = testApp.app
  const id = await reported(testApp)
  await query(db, 'delete from deliveries')
  await more(db, id, { kind: 'webhook', name: 'hung' }, 30)
  await more(db, id, { kind: 'webhook', name: 'team' }, 5)
  const sent: string[] = []
  const outbox = createOutbox({
    db,
    destinations: {
      async send(target) {
        const isHung = JSON.stringify(target).includes('hung')
        sent.push(isHung ? 'hung' : 'team')
        return isHung ? hang() : { ok: true }
      },
      async close() {},
    },
    log: pino({ level: 'silent' }),
    tryMs: 100,
  })
  const sentToTeam = async () => {
    await outbox.round()
    return sent.filter((one) => one === 'team').length
  }
  await expect.poll(sentToTeam, { timeout: 20_000 }).toBe(5)
  await outbox.stop()
  const hungTries = sent.filter((one) => one === 'hung').length
  expect(hungTries).toBeGreaterThanOrEqual(3)
  expect(hungTries).toBeLessThan(10)
  expect(
    await query(
      db,
      "select count(*)::int as n from deliveries where status = 'pending' and tries = 0 and next_try_at > now() + interval '50 seconds'",
    ),
  ).toEqual([{ n: 30 - hungTries }])
})
