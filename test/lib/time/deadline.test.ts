import { getEventListeners } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import { deadlineSignal, within } from '../../../src/lib/time/deadline.ts'

const late = new Error('late')

/** Runs a test with a clock that stands still until it is moved. */
const stopped = (run: () => Promise<void> | void) => async () => {
  vi.useFakeTimers()
  try {
    await run()
  } finally {
    vi.useRealTimers()
  }
}

describe('a deadline signal', () => {
  test(
    'ends at its time with the reason, and not before',
    stopped(() => {
      using deadline = deadlineSignal(new AbortController().signal, 1000, () => late)
      vi.advanceTimersByTime(999)
      expect(deadline.signal.aborted).toBe(false)
      vi.advanceTimersByTime(1)
      expect(deadline.signal.reason).toBe(late)
    }),
  )

  test(
    'that follows a signal ends with it and its reason',
    stopped(() => {
      const outer = new AbortController()
      using deadline = deadlineSignal(outer.signal, 1000, () => late)
      expect(deadline.signal.aborted).toBe(false)
      outer.abort('cancelled')
      expect(deadline.signal.reason).toBe('cancelled')
      vi.advanceTimersByTime(1000)
      expect(deadline.signal.reason).toBe('cancelled')
    }),
  )

  test('of a signal that has ended has ended too', () => {
    using deadline = deadlineSignal(AbortSignal.abort('before'), 1000, () => late)
    expect(deadline.signal.reason).toBe('before')
  })

  test(
    'leaves neither a timer nor a listener when the work is over',
    stopped(() => {
      const outer = new AbortController()
      const deadline = deadlineSignal(outer.signal, 1000, () => late)
      expect([vi.getTimerCount(), getEventListeners(outer.signal, 'abort').length]).toEqual([1, 1])
      deadline[Symbol.dispose]()
      expect([vi.getTimerCount(), getEventListeners(outer.signal, 'abort').length]).toEqual([0, 0])
      expect(deadline.signal.aborted).toBe(false)
    }),
  )

  test(
    'listens no longer once it has followed',
    stopped(() => {
      const outer = new AbortController()
      using deadline = deadlineSignal(outer.signal, 1000, () => late)
      outer.abort('cancelled')
      expect([deadline.signal.aborted, getEventListeners(outer.signal, 'abort').length]).toEqual([true, 0])
    }),
  )

  test.each([-5, 0])('of %d ms ends in the next turn', (ms) =>
    stopped(() => {
      using deadline = deadlineSignal(new AbortController().signal, ms, () => late)
      expect(deadline.signal.aborted).toBe(false)
      vi.advanceTimersByTime(1)
      expect(deadline.signal.reason).toBe(late)
    })(),
  )

  test(
    'longer than any timer ends after the longest there is, 24 days',
    stopped(() => {
      using deadline = deadlineSignal(new AbortController().signal, 9e15, () => late)
      vi.advanceTimersByTime(2_147_483_646)
      expect(deadline.signal.aborted).toBe(false)
      vi.advanceTimersByTime(1)
      expect(deadline.signal.reason).toBe(late)
    }),
  )
})

describe('work within a time', () => {
  test('that is done in time gives what it gives, and leaves no timer', stopped(async () => {
    expect(await within(1000, Promise.resolve('done'), () => late)).toBe('done')
    await expect(within(1000, Promise.reject(new Error('broken')), () => late)).rejects.toThrow('broken')
    expect(vi.getTimerCount()).toBe(0)
  })) // prettier-ignore

  test('that is not is rejected with the reason at that time, and goes on', stopped(async () => {
    const work = Promise.withResolvers<string>()
    let ended: unknown
    const waited = within(1000, work.promise, () => late).catch((error: unknown) => (ended = error))
    await vi.advanceTimersByTimeAsync(999)
    expect(ended).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1)
    await waited
    expect(ended).toBe(late)
    work.resolve('too late')
    expect(await work.promise).toBe('too late')
  })) // prettier-ignore
})
