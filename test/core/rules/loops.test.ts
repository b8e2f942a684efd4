import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLoopWatch, type WatchedCall, type WatchedResult } from '../../../src/core/rules/loops.ts'

type Watch = ReturnType<typeof createLoopWatch>

const call = (argumentsText = '{}', tool = 'labor__query'): WatchedCall => ({ tool, arguments: argumentsText })
const result = (identity = 'rows', more: Partial<WatchedResult> = {}): WatchedResult => ({
  identity,
  failed: false,
  mistake: false,
  wrote: false,
  ...more,
})

/** Makes a call as often as is said, with the same result; returns what the model is told after each. */
const again = (watch: Watch, times: number, one = call(), came = result()) => Array.from({ length: times }, () => watch.note(one, came))

describe('the same call with the same result', () => {
  test('is told the third time, refused from the fifth on, and ends the run at the seventh', () => {
    const watch = createLoopWatch()
    expect(again(watch, 3)).toEqual([undefined, undefined, 'same-result'])
    expect(watch.refusal(call())).toBeUndefined()
    expect(again(watch, 1)).toEqual([undefined])
    const refusals = Array.from({ length: 3 }, () => {
      const why = watch.refusal(call())
      watch.refused(call())
      return [why, watch.reason()]
    })
    expect(refusals).toEqual([
      ['same-call', undefined],
      ['same-call', undefined],
      ['same-call', 'The model made the same call of labor__query 7 times.'],
    ])
  })

  test('is the same however its arguments are written', () => {
    const watch = createLoopWatch()
    const written = ['{"a":1,"b":[2]}', '{ "b": [2], "a": 1 }', '{"b":[2],"a":1.0}']
    expect(written.map((text) => watch.note(call(text), result()))).toEqual([undefined, undefined, 'same-result'])
    expect([' no JSON', 'no JSON ', 'no JSON'].map((text) => watch.note(call(text), result()))).toEqual([
      undefined,
      undefined,
      'same-result',
    ])
  })

  test.each([
    ['another tool', call('{}', 'labor__describe')],
    ['other arguments', call('{"a":1}')],
    ['other text that is no JSON', call('{')],
  ])('%s is another call', (_, other) => {
    const watch = createLoopWatch()
    again(watch, 4)
    expect(watch.refusal(other)).toBeUndefined()
    expect(watch.refusal(call())).toBe('same-call')
    watch.refused(other)
    expect(watch.reason()).toBeUndefined()
  })

  test('with another result is progress', () => {
    const watch = createLoopWatch()
    expect(again(watch, 2)).toEqual([undefined, undefined])
    expect(watch.note(call(), result('more rows'))).toBeUndefined()
    expect(again(watch, 2, call(), result('more rows'))).toEqual([undefined, 'same-result'])
  })

  test('counts anew after something new was seen elsewhere, and goes on after what was seen before', () => {
    const other = call('{"page":2}')
    const watch = createLoopWatch()
    again(watch, 2)
    watch.note(other, result('page 2'))
    expect(again(watch, 2)).toEqual([undefined, undefined])
    watch.note(other, result('page 2'))
    expect(again(watch, 1)).toEqual(['same-result'])
  })

  test('counts anew after a write, which may change what is seen, also when the write itself says the same', () => {
    const write = call('{}', 'crm__update')
    const watch = createLoopWatch()
    watch.note(write, result('done', { wrote: true }))
    again(watch, 2)
    watch.note(write, result('done', { wrote: true }))
    expect(again(watch, 3)).toEqual([undefined, undefined, 'same-result'])
  })

  test('a write that is made again and again is a repetition too', () => {
    const watch = createLoopWatch()
    expect(again(watch, 3, call(), result('done', { wrote: true }))).toEqual([undefined, undefined, 'same-result'])
  })

  test('counts anew after a wait', () => {
    const watch = createLoopWatch()
    again(watch, 4)
    watch.waited()
    expect(watch.refusal(call())).toBeUndefined()
    expect(again(watch, 3)).toEqual([undefined, undefined, 'same-result'])
  })
})

describe('the same error of a tool, whatever its arguments', () => {
  const failing = (watch: Watch, from: number, times: number, text = 'no such table') =>
    Array.from({ length: times }, (_, i) => watch.note(call(`{"n":${from + i}}`), result(text, { failed: true })))

  test('is told the fifth time, and further calls of the tool are refused', () => {
    const watch = createLoopWatch()
    expect(failing(watch, 0, 4)).toEqual(Array.from({ length: 4 }, () => undefined))
    expect(watch.refusal(call('{"n":9}'))).toBeUndefined()
    expect(failing(watch, 4, 1)).toEqual(['same-error'])
    expect(watch.refusal(call('{"n":9}'))).toBe('same-error')
    expect(watch.refusal(call('{"n":9}', 'labor__describe'))).toBeUndefined()
    // It is told once.
    expect(failing(watch, 5, 1)).toEqual([undefined])
  })

  test.each<[string, (watch: Watch) => void]>([
    ['a success of the tool', (watch) => void watch.note(call('{"n":99}'), result())],
    ['another error of the tool', (watch) => void failing(watch, 90, 1, 'too many rows')],
    ['a wait', (watch) => watch.waited()],
  ])('counts anew after %s', (_, between) => {
    const watch = createLoopWatch()
    failing(watch, 0, 4)
    between(watch)
    expect(failing(watch, 10, 4)).toEqual(Array.from({ length: 4 }, () => undefined))
    expect(failing(watch, 20, 1)).toEqual(['same-error'])
  })

  test('errors of another tool do not count', () => {
    const watch = createLoopWatch()
    failing(watch, 0, 4)
    expect(watch.note(call('{}', 'labor__describe'), result('no such table', { failed: true }))).toBeUndefined()
  })

  test('is said before the repetition, when a call is both', () => {
    const watch = createLoopWatch()
    failing(watch, 0, 2)
    const same = call('{"n":"same"}')
    expect(again(watch, 3, same, result('no such table', { failed: true }))).toEqual([undefined, undefined, 'same-error'])
  })
})

describe('turns in which every call was a mistake', () => {
  test('end the run at the third in a row', () => {
    const watch = createLoopWatch()
    for (const expected of [undefined, undefined, 'Every call of 3 turns in a row was faulty.']) {
      watch.endTurn(true)
      expect(watch.reason()).toBe(expected)
    }
  })

  test('count anew after a turn with a call that was none', () => {
    const watch = createLoopWatch()
    for (const allMistakes of [true, true, false, true, true]) watch.endTurn(allMistakes)
    expect(watch.reason()).toBeUndefined()
  })

  test('a mistake counts as no call', () => {
    const watch = createLoopWatch()
    expect(again(watch, 9, call(), result('no such tool', { mistake: true, failed: true }))).toEqual(
      Array.from({ length: 9 }, () => undefined),
    )
    expect(watch.refusal(call())).toBeUndefined()
  })
})

test('calls whose results are all different are never told, refused or ended', () => {
  const calls = fc.array(fc.constantFrom(call(), call('{"a":1}'), call('{}', 'labor__describe')), { maxLength: 40 })
  fc.assert(
    fc.property(calls, (made) => {
      const watch = createLoopWatch()
      for (const [i, one] of made.entries()) {
        expect(watch.refusal(one)).toBeUndefined()
        expect(watch.note(one, result(`result ${i}`))).toBeUndefined()
      }
      expect(watch.reason()).toBeUndefined()
    }),
  )
})
