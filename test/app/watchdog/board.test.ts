import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { boardBytes, openBoard } from '../../../src/app/watchdog/board.ts'

const attempt = (number: number) => ({ runId: `run_${randomUUID()}`, number, token: randomUUID() })

test('the thread sees the beats of the loop and its attempts under way, as many as there are slots', () => {
  const memory = new SharedArrayBuffer(boardBytes(2))
  const [loop, thread] = [openBoard(memory), openBoard(memory)]
  expect([thread.beats(), thread.attempts()]).toEqual([0, []])
  loop.beat()
  expect(thread.beats()).toBe(1)

  const [a, b, c] = [attempt(1), attempt(12), attempt(123)]
  const first = loop.enter(a)
  loop.enter(b)
  const noSlot = loop.enter(c)
  expect(thread.attempts()).toEqual(expect.arrayContaining([a, b]))
  expect(thread.attempts()).toHaveLength(2)
  noSlot[Symbol.dispose]()
  first[Symbol.dispose]()
  expect(thread.attempts()).toEqual([b])
  loop.enter(c)
  expect(thread.attempts()).toEqual(expect.arrayContaining([b, c]))
})
