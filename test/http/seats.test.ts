import { expect, test } from 'vitest'
import { createSeats } from '../../src/http/seats.ts'

const [ann, ben] = [{ name: 'ann' }, { name: 'ben' }]

test('a caller has as many seats as one may have, and leaves the others theirs', () => {
  const seats = createSeats({ total: 5, perCaller: 2 })
  const leave = seats.take(ann)
  seats.take(ann)
  expect(() => seats.take(ann)).toThrow(expect.objectContaining({ code: 'STREAMS_FULL', message: 'ann follows 2 runs here already.' }))
  seats.take(ben)
  leave()
  // It is given back once, however often that is said.
  leave()
  seats.take(ann)
  expect(() => seats.take(ann)).toThrow('ann follows 2')
})

test('all callers together have as many seats as there are', () => {
  const seats = createSeats({ total: 3, perCaller: 2 })
  const leave = seats.take(ann)
  seats.take(ann)
  seats.take(ben)
  expect(() => seats.take(ben)).toThrow(expect.objectContaining({ code: 'STREAMS_FULL', message: '3 runs are followed here already.' }))
  leave()
  seats.take(ben)
})
