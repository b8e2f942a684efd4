import { describe, expect, test } from 'vitest'
import { createMeter } from '../../../../src/demo/model/size/meter.ts'

const says = (...texts: string[]) => ({ model: 'm', input: texts.map((content) => ({ role: 'user', content })) })
const long = 'x'.repeat(8000)

describe('the window of a model', () => {
  const meter = createMeter({ m: 2100 })

  test.each([
    ['what fits is taken', says(long), undefined],
    ['what does not fit is refused', says(long, long), 'context_length_exceeded'],
    ['the answer that is asked for has to fit too', { ...says(long), max_output_tokens: 500 }, 'context_length_exceeded'],
    ['another model takes anything', { ...says(long, long), model: 'another' }, undefined],
  ])('%s', (_, request, code) => {
    for (const api of ['responses', 'chat'] as const)
      expect(meter.refuse(api, request)?.body).toEqual(code === undefined ? undefined : { error: expect.objectContaining({ code }) })
  })
})

describe('the cache', () => {
  test('counts what a request begins with as an earlier one did, in whole steps', () => {
    const meter = createMeter({})
    expect(meter.count(says(long)).cachedTokens).toBe(0)
    const { inputTokens, cachedTokens } = meter.count(says(long, 'more'))
    expect(cachedTokens).toBe(1920)
    expect(inputTokens).toBeGreaterThan(2000)
    expect(meter.count(says(`y${long}`)).cachedTokens).toBe(0)
  })

  test('keeps requests of other models and other keys apart', () => {
    const meter = createMeter({})
    meter.count(says(long))
    expect(meter.count({ ...says(long), model: 'another' }).cachedTokens).toBe(0)
    expect(meter.count({ ...says(long), prompt_cache_key: 'k' }).cachedTokens).toBe(0)
    expect(meter.count(says(long)).cachedTokens).toBeGreaterThan(1500)
  })

  test('keeps nothing short', () => {
    const meter = createMeter({})
    meter.count(says('x'.repeat(4000)))
    expect(meter.count(says('x'.repeat(4000))).cachedTokens).toBe(0)
  })
})
