import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { Sender, SendResult } from '../../src/delivery/destinations/destination.ts'
import { createOutbox } from '../../src/delivery/outbox.ts'
import { hastenDeliveries, takeDueDeliveries } from '../../src/store/delivery/deliveries.ts'
import { query } from '../../src/store/postgres/db.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { addDeliveries, deliveringJob } from '../support/delivery/deliveries.ts'

const say = (text: string) => ({ scripted: `say ${text}` })

test.each<[string, number, SendResult, { status: string; tries: number; n: number }[]]>([
  [
    'a receiver that was away gets all that waits for it with the first that it takes',
    6,
    { ok: false, error: 'HTTP 503', final: false, away: true },
    [{ status: 'delivered', tries: 2, n: 6 }],
  ],
  [
    'a receiver that was away for a moment does not',
    2,
    { ok: false, error: 'HTTP 503', final: false, away: true },
    [
      { status: 'delivered', tries: 2, n: 1 },
      { status: 'pending', tries: 1, n: 5 },
    ],
  ],
  [
    'a receiver that refuses reports does not',
    6,
    { ok: false, error: 'HTTP 500', final: false },
    [
      { status: 'delivered', tries: 2, n: 1 },
      { status: 'pending', tries: 1, n: 5 },
    ],
  ],
])('%s', async (_, failures, failure, expected) => {
  await using testApp = await buildTestApp({ jobs: { report: deliveringJob('[{ file: hr }]') }, scripts: say('done') })
  const { db } = testApp.app
  const { id } = await testApp.run('report')
  await query(db, 'delete from deliveries')
  await addDeliveries(db, id, { kind: 'webhook', name: 'team' }, 6)
  let left = 6
  const destinations: Sender = {
    async send() {
      left--
      if (left < 0) return { ok: true }
      return left < failures ? failure : { ok: false, error: 'a broken answer', final: false }
    },
    async close() {},
  }
  const outbox = createOutbox({ db, destinations, log: pino({ level: 'silent' }) })
  await outbox.round()
  await query(db, "update deliveries set next_try_at = now() + interval '1 hour'")
  await query(db, 'update deliveries set next_try_at = now() where id = (select min(id::text)::uuid from deliveries)')
  await outbox.round()
  await outbox.round()
  await outbox.stop()
  expect(await query(db, 'select status, tries, count(*)::int as n from deliveries group by 1, 2 order by 1')).toEqual(expected)
})

test('a report that is under way is not taken again when its receiver is back', async () => {
  await using testApp = await buildTestApp({ jobs: { report: deliveringJob('[{ file: hr }]') }, scripts: say('done') })
  const { db } = testApp.app
  const { id } = await testApp.run('report')
  await query(db, 'delete from deliveries')
  await addDeliveries(db, id, { kind: 'webhook', name: 'team' }, 2)
  const take = { limit: 9, perPlace: 9, busy: new Map(), leaseMs: 60_000 }
  const [under] = await takeDueDeliveries(db, { ...take, limit: 1 })
  await query(db, "update deliveries set next_try_at = now() + interval '1 hour' where id <> $1", [under?.id])
  expect(await hastenDeliveries(db, under?.place ?? '', 60_000)).toBe(1)
  expect((await takeDueDeliveries(db, take)).map((one) => one.id)).not.toContain(under?.id)
})
