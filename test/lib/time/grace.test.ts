import { expect, test } from 'vitest'
import { startGrace } from '../../../src/lib/time/grace.ts'

const GRACE_MS = 40

/** The process does nothing else for so long. */
function block(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

test('what arrived while the process did not run is read before the time is over', async () => {
  const order: string[] = []
  const over = Promise.withResolvers<void>()
  startGrace(GRACE_MS, () => {
    order.push('over')
    over.resolve()
  })
  // Ready long before the grace is over, and only read after a pause of the process.
  setImmediate(() => {
    block(4 * GRACE_MS)
    setTimeout(() => order.push('read'), 1)
  })
  await over.promise
  expect(order).toEqual(['read', 'over'])
})

test('is called off', async () => {
  let calls = 0
  startGrace(GRACE_MS, () => void calls++)()
  await new Promise<void>((done) => startGrace(2 * GRACE_MS, done))
  expect(calls).toBe(0)
})
