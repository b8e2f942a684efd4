import { expect, test } from 'vitest'
import { untilAborted } from '../../../src/lib/net/until-aborted.ts'

/** What is heard of a stream, and what it fails with. */
async function heard<T>(values: AsyncIterable<T>, signal: AbortSignal, onValue: (value: T) => void = () => {}) {
  const got: T[] = []
  try {
    for await (const value of untilAborted(values, signal)) {
      got.push(value)
      onValue(value)
    }
    return { got }
  } catch (error) {
    return { got, error }
  }
}

async function* stream(...values: (number | Error | Promise<never>)[]): AsyncGenerator<number> {
  for (const value of values) {
    if (value instanceof Error) throw value
    yield await value
  }
}

// oxlint-disable-next-line waits/bounded -- it is what is never waited for
const never = new Promise<never>(() => {})

test('a stream that is not ended is read to its end, or to its error', async () => {
  const { signal } = new AbortController()
  expect(await heard(stream(1, 2, 3), signal)).toEqual({ got: [1, 2, 3] })
  expect(await heard(stream(1, new Error('broken')), signal)).toEqual({ got: [1], error: new Error('broken') })
})

test('what has arrived when the signal comes is heard, and nothing is waited for', async () => {
  const end = new AbortController()
  const stop = (value: number) => value === 2 && end.abort('stopped')
  expect(await heard(stream(1, 2, 3, 4, never), end.signal, stop)).toEqual({ got: [1, 2, 3, 4], error: 'stopped' })
})

test('a stream that says nothing is left at once', async () => {
  const end = new AbortController()
  const reading = heard(stream(1, never), end.signal)
  end.abort('stopped')
  expect(await reading).toEqual({ got: [1], error: 'stopped' })
})

test('a stream that never ends is heard up to a bound', async () => {
  async function* endless() {
    for (let n = 0; ; n++) yield n
  }
  const end = new AbortController()
  const { got, error } = await heard(endless(), end.signal, () => end.abort('stopped'))
  expect(error).toBe('stopped')
  expect(got.length).toBeLessThan(3000)
})

test('an error that has arrived is told in place of the reason', async () => {
  const end = new AbortController()
  expect(await heard(stream(1, new Error('said')), end.signal, () => end.abort('stopped'))).toEqual({ got: [1], error: new Error('said') })
})
