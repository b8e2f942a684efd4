import { expect, test } from 'vitest'
import { createOpenAnswers } from '../../src/http/open-answers.ts'

const [ann, ben] = [{ name: 'ann' }, { name: 'ben' }]

test('a caller has as many openAnswers as one may have, and leaves the others theirs', () => {
  const openAnswers = createOpenAnswers({ total: 5, perCaller: 2 })
  const leave = openAnswers.take(ann)
  openAnswers.take(ann)
  expect(() => openAnswers.take(ann)).toThrow(
    expect.objectContaining({ code: 'STREAMS_FULL', message: 'ann follows 2 runs here already.' }),
  )
  openAnswers.take(ben)
  leave()
  // It is given back once, however often that is said.
  leave()
  openAnswers.take(ann)
  expect(() => openAnswers.take(ann)).toThrow('ann follows 2')
})

test('all callers together have as many openAnswers as there are', () => {
  const openAnswers = createOpenAnswers({ total: 3, perCaller: 2 })
  const leave = openAnswers.take(ann)
  openAnswers.take(ann)
  openAnswers.take(ben)
  expect(() => openAnswers.take(ben)).toThrow(
    expect.objectContaining({ code: 'STREAMS_FULL', message: '3 runs are followed here already.' }),
  )
  leave()
  openAnswers.take(ben)
})
