import { describe, expect, test } from 'vitest'
import { Failure } from '../../src/core/failure.ts'
import { bounded, exitOf, failed, failedBy, ok, warning } from '../../src/doctor/check.ts'

const NEVER = new AbortController().signal
const silence = () => new Promise<never>(() => {})

describe('a bounded check', () => {
  test('gives what was found, one or several', async () => {
    expect(await bounded('queue', 'cure', NEVER, async () => ok('queue', 'is there'))).toEqual([ok('queue', 'is there')])
    const both = [ok('queue', 'is there'), ok('eviction', 'none')]
    expect(await bounded('queue', 'cure', NEVER, async () => both)).toEqual(both)
  })

  test('of what says nothing fails when its time is over, and tells the work to end', async () => {
    let told: AbortSignal | undefined
    const found = await bounded('queue', 'Start it.', NEVER, (signal) => ((told = signal), silence()), { ms: 5 })
    expect(found).toEqual([failed('queue', 'There is no answer within 0.005 s.', 'Start it.')])
    expect(told?.aborted).toBe(true)
  })

  test('of what fails because it was ended says that there was no answer', async () => {
    const found = await bounded(
      'queue',
      'Start it.',
      NEVER,
      (signal) => new Promise((_, fail) => signal.addEventListener('abort', () => fail(new Error('the connection was closed')))),
      { ms: 5 },
    )
    expect(found).toEqual([failed('queue', 'There is no answer within 0.005 s.', 'Start it.')])
  })

  test('ends with the reason of its signal, also when the work does not', async () => {
    const ending = new AbortController()
    const waiting = bounded('queue', 'cure', ending.signal, silence)
    ending.abort(new Error('Ctrl-C'))
    await expect(waiting).rejects.toThrow('Ctrl-C')
    await expect(bounded('queue', 'cure', ending.signal, async () => ok('queue', 'is there'))).rejects.toThrow('Ctrl-C')
  })

  test('of what throws fails with that, and its code is the one of a silence where it says so', async () => {
    expect(await bounded('queue', 'Start it.', NEVER, () => Promise.reject(new Error('a fault of ours')))).toEqual([
      failed('queue', 'a fault of ours.', 'Start it.'),
    ])
    const away = () => Promise.reject(new Failure({ code: 'STORE_UNAVAILABLE', message: 'It is away.' }))
    expect(await bounded('store', 'Start it.', NEVER, away)).toMatchObject([{ code: 'STORE_UNAVAILABLE', cure: 'Start it.' }])
    expect(await bounded('queue', 'Start it.', NEVER, silence, { ms: 5, code: 'QUEUE_UNAVAILABLE' })).toMatchObject([
      { status: 'failed', code: 'QUEUE_UNAVAILABLE' },
    ])
  })
})

test('the exit code is that of the first fault, since the others may follow from it', () => {
  expect(exitOf([ok('config', ''), warning('log', '', '')])).toBe(0)
  expect(exitOf([failed('model', '')])).toBe(1)
  expect(exitOf([ok('config', ''), failed('store', '', '', 'STORE_UNAVAILABLE'), failed('model', '')])).toBe(7)
  expect(exitOf([failed('config', '', '', 'CONFIG_INVALID'), failed('store', '', '', 'STORE_UNAVAILABLE')])).toBe(2)
})

test('a failure that a run would try again gets the cure of a check, which is not', () => {
  const away = new Failure({ code: 'MODEL_UNAVAILABLE', message: 'No answer.' })
  expect(failedBy('model', away, 'Check the address.')).toMatchObject({ cure: 'Check the address.', code: 'MODEL_UNAVAILABLE' })
  const refused = new Failure({ code: 'MODEL_AUTH', message: 'No.' })
  expect(failedBy('model', refused, 'Check the address.')).toMatchObject({ cure: refused.cure, code: 'MODEL_AUTH' })
})
