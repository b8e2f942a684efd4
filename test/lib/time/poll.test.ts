import { afterEach, expect, test, vi } from 'vitest'
import { createPoller } from '../../../src/lib/time/poll.ts'

const never = (error: unknown): void => {
  throw error
}

/** Work whose rounds end when the test says so. */
function gated() {
  const begun: AbortSignal[] = []
  const open: (() => void)[] = []
  return {
    begun,
    work: (signal: AbortSignal) => {
      begun.push(signal)
      return new Promise<void>((done) => open.push(done))
    },
    end: () => open.shift()?.(),
  }
}

afterEach(() => void vi.useRealTimers())

test('rounds follow each other until it is stopped, and none after that', async () => {
  vi.useFakeTimers()
  let rounds = 0
  const poller = createPoller({ name: 'count', everyMs: 1000, work: async () => rounds++, onFailure: never })
  await poller.start()
  await vi.advanceTimersByTimeAsync(2999)
  expect(rounds).toBe(3)
  await poller.stop()
  await poller.stop()
  await poller.start()
  poller.wake()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(rounds).toBe(3)
})

test('the interval counts from the end of a round, whenever and by whomever that was begun', async () => {
  vi.useFakeTimers({ now: new Date('2026-01-01T00:00:00.400Z') })
  const at: number[] = []
  const from = Date.now()
  const poller = createPoller({
    name: 'slow',
    everyMs: 1000,
    work: () => {
      at.push(Date.now() - from)
      return new Promise((done) => setTimeout(done, 300))
    },
    onFailure: never,
  })
  await poller.start()
  await vi.advanceTimersByTimeAsync(1500)
  expect(at).toEqual([0, 1300])
  await vi.advanceTimersByTimeAsync(500)
  poller.wake()
  await vi.advanceTimersByTimeAsync(1500)
  expect(at).toEqual([0, 1300, 2000, 3300])
  await vi.advanceTimersByTimeAsync(300)
  await poller.stop()
})

test('a second start begins nothing, and leaves the age of the first', async () => {
  vi.useFakeTimers()
  let rounds = 0
  const poller = createPoller({ name: 'twice', everyMs: 60_000, work: async () => rounds++, onFailure: never })
  await poller.start()
  await vi.advanceTimersByTimeAsync(1000)
  await poller.start()
  expect(rounds).toBe(1)
  expect(poller.state().startedAgoMs).toBe(1000)
  await poller.stop()
})

test('one that was stopped before its start never begins', async () => {
  const { begun, work } = gated()
  const poller = createPoller({ name: 'late', everyMs: 1, work, onFailure: never })
  await poller.stop()
  await poller.start()
  expect(begun).toHaveLength(0)
})

test('without a start, a round that is asked for is followed by none', async () => {
  vi.useFakeTimers()
  let rounds = 0
  const poller = createPoller({ name: 'asked', everyMs: 1000, work: async () => rounds++, onFailure: never })
  await poller.round()
  await vi.advanceTimersByTimeAsync(5000)
  expect(rounds).toBe(1)
})

test('a round that was under way at the stop is followed by none', async () => {
  vi.useFakeTimers()
  const { begun, work, end } = gated()
  const poller = createPoller({ name: 'ending', everyMs: 1000, work, onFailure: never })
  await poller.start()
  const stopped = poller.stop()
  end()
  await stopped
  await vi.advanceTimersByTimeAsync(5000)
  expect(begun).toHaveLength(1)
})

test('a round that is asked for while one is under way joins it', async () => {
  const { begun, work, end } = gated()
  const poller = createPoller({ name: 'one', everyMs: 600_000, work, onFailure: never })
  const both = Promise.all([poller.round(), poller.round()])
  expect(begun).toHaveLength(1)
  end()
  await both
  const third = poller.round()
  expect(begun).toHaveLength(2)
  end()
  await third
})

test('start begins the first round and a wake another one at once; wakes during a round begin one more after it', async () => {
  vi.useFakeTimers()
  const { begun, work, end } = gated()
  const poller = createPoller({ name: 'woken', everyMs: 600_000, work, onFailure: never })
  poller.wake()
  expect(begun).toHaveLength(0)
  await poller.start()
  expect(begun).toHaveLength(1)
  poller.wake()
  poller.wake()
  end()
  await vi.waitFor(() => expect(begun).toHaveLength(2))
  end()
  await poller.round()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(begun).toHaveLength(2)
  poller.wake()
  expect(begun).toHaveLength(3)
  end()
  await poller.stop()
  expect(begun).toHaveLength(3)
})

test('a round that fails is told and counted, and the next one comes', async () => {
  const told: unknown[] = []
  let rounds = 0
  const poller = createPoller({
    name: 'odd',
    everyMs: 1,
    work: async () => {
      if (++rounds === 1) throw new Error('first')
    },
    onFailure: (error) => told.push(error),
  })
  expect(poller.state()).toEqual({
    name: 'odd',
    everyMs: 1,
    startedAgoMs: undefined,
    succeededAgoMs: undefined,
    failures: 0,
    failed: undefined,
  })
  await poller.start()
  await vi.waitFor(() => expect(poller.state().succeededAgoMs).toEqual(expect.any(Number)))
  await poller.stop()
  expect(told).toEqual([new Error('first')])
  expect(poller.state()).toMatchObject({ failures: 1, failed: { error: new Error('first') } })
})

test('after a failure the next round comes soon, then later and later, and after a success in its time', async () => {
  vi.useFakeTimers()
  try {
    const at: number[] = []
    const began = Date.now()
    const poller = createPoller({
      name: 'odd',
      everyMs: 1000,
      againMs: 100,
      work: async () => {
        at.push(Date.now() - began)
        if (at.length <= 6) throw new Error('not yet')
      },
      onFailure: () => {},
    })
    await poller.start()
    await vi.advanceTimersByTimeAsync(6000)
    await poller.stop()
    expect(at).toEqual([0, 100, 300, 700, 1500, 2500, 3500, 4500, 5500])
  } finally {
    vi.useRealTimers()
  }
})

test('stop asks the round under way to end, waits for it, and does not count its end as a failure', async () => {
  const poller = createPoller({
    name: 'obedient',
    everyMs: 600_000,
    work: (signal) => new Promise((_, fail) => signal.addEventListener('abort', () => fail(new Error('asked to end')))),
    onFailure: never,
  })
  const round = poller.round()
  await poller.stop()
  await round
  expect(poller.state().failures).toBe(0)
})

test('stop does not wait for ever for a round that does not end, and says so', async () => {
  const told: unknown[] = []
  const poller = createPoller({
    name: 'hung',
    everyMs: 600_000,
    work: () => new Promise(() => {}),
    onFailure: (error) => told.push(error),
    stopMs: 1,
  })
  void poller.round()
  await poller.stop()
  expect(told).toEqual([new Error('hung did not stop within 0.001 s')])
})

test('aligned rounds begin at the full interval of the wall clock, whatever the clock did', async () => {
  vi.useFakeTimers({ now: new Date('2026-01-01T00:00:00.400Z') })
  const at: string[] = []
  const poller = createPoller({
    name: 'tick',
    everyMs: 1000,
    aligned: true,
    work: async () => at.push(new Date().toISOString().slice(11, 23)),
    onFailure: never,
  })
  await poller.start()
  await vi.advanceTimersByTimeAsync(2600)
  vi.setSystemTime(new Date('2026-01-03T12:00:00.500Z'))
  await vi.advanceTimersByTimeAsync(2000)
  vi.setSystemTime(new Date('2026-01-01T00:00:00.500Z'))
  await vi.advanceTimersByTimeAsync(1500)
  await poller.stop()
  // Two and a half days of sleep and a clock that was set back cost no round and made none up.
  expect(at).toEqual([
    '00:00:00.400',
    '00:00:01.000',
    '00:00:02.000',
    '00:00:03.000',
    '12:00:01.500',
    '12:00:02.000',
    '00:00:01.000',
    '00:00:02.000',
  ])
})
