import { Webhook } from 'standardwebhooks'
import { expect, onTestFinished, test } from 'vitest'
import { reportEvent } from '../../../src/delivery/destinations/report.ts'
import { createWebhookSender, isWebhookSecret } from '../../../src/delivery/destinations/webhook.ts'
import { startReceiver, type Received } from '../../support/delivery/receiver.ts'
import { aRunView } from '../../support/app/run-view.ts'
import { VERSION } from '../../../src/lib/version.ts'

const SECRET = `whsec_${Buffer.from('a secret of twenty-four bytes and more').toString('base64')}`
const message = { id: 'msg_1', body: '{"text":"Grüezi"}', contentType: 'application/cloudevents+json' }

function sender() {
  const made = createWebhookSender()
  onTestFinished(() => made.close())
  return made
}

const signed = ({ headers }: Received) => ({
  'webhook-id': String(headers['webhook-id']),
  'webhook-timestamp': String(headers['webhook-timestamp']),
  'webhook-signature': String(headers['webhook-signature']),
})

test('the receiver can check who sent a message and that it is whole', async () => {
  await using receiver = await startReceiver()
  expect(await sender().post({ url: receiver.url, secret: SECRET }, message)).toEqual({ ok: true })
  const [got] = receiver.received
  if (!got) throw new Error('nothing came')
  expect(new Webhook(SECRET).verify(got.body, signed(got))).toEqual({ text: 'Grüezi' })
  expect(got.headers).toMatchObject({
    'content-type': 'application/cloudevents+json',
    'webhook-id': 'msg_1',
    'user-agent': `nightshift/${VERSION}`,
  })
  const other = `whsec_${Buffer.from('another secret of twenty-four bytes').toString('base64')}`
  expect(() => new Webhook(other).verify(got.body, signed(got))).toThrow('signature')
  expect(() => new Webhook(SECRET).verify(`${got.body} `, signed(got))).toThrow('signature')
  expect(JSON.stringify(got)).not.toContain(SECRET.slice(6))
})

test('while a secret is changed both sign, and a receiver with either can check', async () => {
  await using receiver = await startReceiver()
  const other = `whsec_${Buffer.from('another secret of twenty-four bytes').toString('base64')}`
  await sender().post({ url: receiver.url, secret: `${SECRET} ${other}` }, message)
  const [got] = receiver.received
  if (!got) throw new Error('nothing came')
  for (const secret of [SECRET, other]) expect(new Webhook(secret).verify(got.body, signed(got))).toEqual({ text: 'Grüezi' })
  const third = `whsec_${Buffer.from('a third secret of twenty-four bytes').toString('base64')}`
  expect(() => new Webhook(third).verify(got.body, signed(got))).toThrow('signature')
})

test('each try is signed for its own time, under the same id', async () => {
  await using receiver = await startReceiver()
  const { post } = sender()
  for (const at of ['2026-11-24T07:00:00Z', '2026-11-24T08:00:00Z'])
    await post({ url: receiver.url, secret: SECRET }, message, new Date(at))
  const [first, second] = receiver.received.map(({ headers }) => headers)
  expect([first?.['webhook-timestamp'], second?.['webhook-timestamp']]).toEqual(['1795503600', '1795507200'])
  expect(first?.['webhook-id']).toBe(second?.['webhook-id'])
  expect(first?.['webhook-signature']).not.toBe(second?.['webhook-signature'])
})

test.each([
  { status: 200, expected: { ok: true } },
  { status: 202, expected: { ok: true } },
  { status: 299, expected: { ok: true } },
  { status: 400, expected: { ok: false, error: 'HTTP 400', final: false, refused: true } },
  { status: 404, expected: { ok: false, error: 'HTTP 404', final: false, refused: true } },
  { status: 410, expected: { ok: false, error: 'HTTP 410', final: true, refused: true } },
  { status: 429, expected: { ok: false, error: 'HTTP 429', final: false } },
  { status: 500, expected: { ok: false, error: 'HTTP 500', final: false } },
  { status: 502, expected: { ok: false, error: 'HTTP 502', final: false, away: true } },
  { status: 503, expected: { ok: false, error: 'HTTP 503', final: false, away: true } },
  { status: 504, expected: { ok: false, error: 'HTTP 504', final: false, away: true } },
])('an answer $status: $expected', async ({ status, expected }) => {
  await using receiver = await startReceiver(() => status)
  expect(await sender().post({ url: receiver.url, secret: SECRET }, message)).toEqual(expected)
})

test.each([301, 302, 303, 307, 308])('a redirect %i is not followed', async (status) => {
  await using elsewhere = await startReceiver()
  await using receiver = await startReceiver((_, res) => void res.writeHead(status, { location: elsewhere.url }).end())
  expect(await sender().post({ url: receiver.url, secret: SECRET }, message)).toEqual({ ok: false, error: `HTTP ${status}`, final: false })
  expect([receiver.received.length, elsewhere.received.length]).toEqual([1, 0])
})

test('a receiver that hangs up or is not there is tried again, and the error names no secret', async () => {
  await using receiver = await startReceiver((_, res) => void res.destroy())
  const { post } = sender()
  const gone = await startReceiver()
  await gone[Symbol.asyncDispose]()
  for (const url of [receiver.url, gone.url]) {
    const result = await post({ url, secret: SECRET }, message)
    expect(result).toMatchObject({ ok: false, final: false, away: true })
    expect(JSON.stringify(result)).not.toContain(SECRET.slice(6))
  }
})

test('a receiver that never answers is given up after the time of a try, and is told apart from one that refuses', async () => {
  await using receiver = await startReceiver(() => new Promise(() => {}))
  const impatient = createWebhookSender({ timeoutMs: 50 })
  onTestFinished(() => impatient.close())
  expect(await impatient.post({ url: receiver.url, secret: SECRET }, message)).toMatchObject({ ok: false, final: false, silent: true })
})

test('an endless answer does not hold the sender', async () => {
  await using receiver = await startReceiver((_, res) => void res.writeHead(200).write('x'.repeat(100_000)))
  expect(await sender().post({ url: receiver.url, secret: SECRET }, message)).toEqual({ ok: true })
})

test('a report is a CloudEvent about the run, with the same id in each try', () => {
  const run = aRunView({ status: 'incomplete', reasons: [{ code: 'BUDGET_TURNS', message: 'Over.' }], input: { salary: 1 } })
  expect(reportEvent(run, 'delivery-1')).toEqual({
    specversion: '1.0',
    id: 'delivery-1',
    source: '/nightshift/jobs/headcount',
    type: 'nightshift.run.finished',
    subject: run.id,
    time: '2026-11-24T07:00:03.000Z',
    datacontenttype: 'application/json',
    data: {
      id: run.id,
      job: 'headcount',
      jobVersion: 'sha256:1',
      status: 'incomplete',
      reasons: run.reasons,
      failure: null,
      trigger: run.trigger,
      tags: {},
      output: { rows: [1, 2] },
      outputText: '{"rows":[1,2]}',
      ending: null,
      usage: run.usage,
      cost: { usd: null, atLeast: false },
      models: [],
      createdAt: run.createdAt,
      finishedAt: run.finishedAt,
    },
  })
})

test.each([
  { secret: SECRET, good: true },
  { secret: SECRET.slice(6), good: true },
  { secret: `whsec_${'A'.repeat(32)}`, good: true },
  { secret: `whsec_${'A'.repeat(31)}`, good: false },
  { secret: `whsec_${'A'.repeat(33)}`, good: false },
  { secret: `whsec_${'A'.repeat(32)}==`, good: false },
  { secret: `whsec_${'-'.repeat(32)}`, good: false },
  { secret: 'whsec_', good: false },
  { secret: '', good: false },
  { secret: 'a plain password that is long enough', good: false },
])('$secret can sign: $good', ({ secret, good }) => {
  expect(isWebhookSecret(secret)).toBe(good)
})
