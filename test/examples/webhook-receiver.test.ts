import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createReceiver } from '../../examples/webhook-receiver/receiver.ts'
import { createWebhookSender } from '../../src/delivery/destinations/webhook.ts'

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`
const secret = newSecret()
const messages: unknown[] = []
let fails = false
const receiver = createReceiver({
  secret,
  async onMessage(event) {
    if (fails) throw new Error('the table is locked')
    messages.push(event)
  },
})
const sender = createWebhookSender()
let url = ''

beforeAll(async () => {
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const address = receiver.address()
  url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`
})
afterAll(async () => {
  await sender.close()
  receiver.close()
})
beforeEach(() => messages.splice(0))

const send = (id: string, { by = secret, data = 'a report', at = new Date() } = {}) =>
  sender.post({ url, secret: by }, { id, body: JSON.stringify({ data }), contentType: 'application/cloudevents+json' }, at)

test('a signed message is taken, and told of once however often it comes', async () => {
  expect(await send('one')).toEqual({ ok: true })
  expect(await send('one')).toEqual({ ok: true })
  expect(await send('two')).toEqual({ ok: true })
  expect(messages).toEqual([{ data: 'a report' }, { data: 'a report' }])
})

test('a message with another signature, or an old one, is refused', async () => {
  expect(await send('forged', { by: newSecret() })).toMatchObject({ ok: false, error: 'HTTP 401' })
  expect(await send('old', { at: new Date(Date.now() - 3_600_000) })).toMatchObject({ ok: false, error: 'HTTP 401' })
  const unsigned = await fetch(url, { method: 'POST', body: '{}' })
  expect(unsigned.status).toBe(401)
  expect(messages).toEqual([])
})

test('a message that could not be kept is asked for again', async () => {
  fails = true
  expect(await send('again')).toMatchObject({ ok: false, error: 'HTTP 500', final: false })
  fails = false
  expect(await send('again')).toEqual({ ok: true })
  expect(messages).toHaveLength(1)
})

test('a message of any size costs no more memory than is allowed', async () => {
  expect(await send('large', { data: 'x'.repeat(5_000_000) })).toMatchObject({ ok: false, error: 'HTTP 413' })
  expect(messages).toEqual([])
})
