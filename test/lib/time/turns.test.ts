import { expect, test } from 'vitest'
import { createTurns } from '../../../src/lib/time/turns.ts'

test('turns come one after the other, and who gives up waiting holds up nobody', async () => {
  const turns = createTurns()
  const { signal } = new AbortController()
  const impatient = new AbortController()
  const order: string[] = []
  const first = await turns.take(signal)
  const second = turns.take(impatient.signal).then((turn) => (order.push('second gave up'), turn))
  const third = turns.take(signal).then((turn) => (order.push('third'), turn))
  impatient.abort()
  ;(await second)[Symbol.dispose]()
  expect(order).toEqual(['second gave up'])
  order.push('first is done')
  first[Symbol.dispose]()
  ;(await third)[Symbol.dispose]()
  expect(order).toEqual(['second gave up', 'first is done', 'third'])
  ;(await turns.take(signal))[Symbol.dispose]()
})
