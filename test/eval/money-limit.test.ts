import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMoneyLimit } from '../../src/eval/money-limit.ts'

test('without a limit each share is what the job says', async () => {
  const money = createMoneyLimit(undefined)
  expect([(await money.take(2))?.usd, (await money.take(undefined))?.usd]).toEqual([2, undefined])
})

test('a share is at most what is left, and what was not spent comes back', async () => {
  const money = createMoneyLimit(3)
  const first = await money.take(2)
  const second = await money.take(2)
  expect([first?.usd, second?.usd]).toEqual([2, 1])
  first?.spent(0.5)
  await first?.[Symbol.asyncDispose]()
  expect((await money.take(2))?.usd).toBe(1.5)
})

test('who comes when all is given out waits for what comes back', async () => {
  const money = createMoneyLimit(1)
  const first = await money.take(undefined)
  const waiting = money.take(undefined)
  first?.spent(0.25)
  await first?.[Symbol.asyncDispose]()
  expect((await waiting)?.usd).toBe(0.75)
})

test('nothing is given when nothing is left', async () => {
  const money = createMoneyLimit(1)
  const first = await money.take(undefined)
  const waiting = money.take(undefined)
  first?.spent(1.25)
  await first?.[Symbol.asyncDispose]()
  expect(await waiting).toBeUndefined()
})

test('trials that spend at most their share never spend more than there is, however many there are at a time', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          most: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
          part: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
      ),
      async (trials) => {
        const money = createMoneyLimit(100)
        let spent = 0
        await Promise.all(
          trials.map(async ({ most, part }) => {
            await using share = await money.take(most)
            if (share?.usd === undefined) return
            await Promise.resolve()
            spent += share.usd * part
            share.spent(share.usd * part)
          }),
        )
        expect(spent).toBeLessThanOrEqual(100 + 1e-6)
      },
    ),
  )
})
