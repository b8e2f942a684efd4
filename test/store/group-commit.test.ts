import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createGroupCommit, nextBatchSize } from '../../src/store/group-commit.ts'

const MAX = 4
const keys = fc.array(fc.integer({ min: 0, max: 6 }).map(String), { maxLength: 40 })

/** Batches of a list, as they are taken one after the other. */
function batchesOf(list: readonly string[]): string[][] {
  const batches: string[][] = []
  for (let rest = [...list]; rest.length > 0; rest = rest.slice(batches.at(-1)?.length))
    batches.push(rest.slice(0, nextBatchSize(rest, MAX)))
  return batches
}

test('batches keep the order, hold no two entries of one key, and are as large as that allows', () => {
  fc.assert(
    fc.property(keys, (list) => {
      const batches = batchesOf(list)
      expect(batches.flat()).toEqual(list)
      for (const [at, batch] of batches.entries()) {
        expect(batch.length).toBeGreaterThan(0)
        expect(new Set(batch).size).toBe(batch.length)
        const next = batches[at + 1]?.[0]
        expect(next === undefined || batch.length === MAX || batch.includes(next)).toBe(true)
      }
    }),
  )
})

interface Entry {
  n: number
  key: string
  fate: 'good' | 'poison' | 'left out'
}

/** A writer that refuses a whole batch for one poisoned member, as a statement does. */
function createStore() {
  const written: number[] = []
  const commit = createGroupCommit<Entry>({
    keyOf: ({ key }) => key,
    isFaultOfOne: (error) => error instanceof RangeError,
    maxBatch: MAX,
    write: async (batch) => {
      await new Promise((done) => setImmediate(done))
      if (batch.some(({ fate }) => fate === 'poison')) throw new RangeError('a member is poisoned')
      written.push(...batch.flatMap(({ n, fate }) => (fate === 'good' ? [n] : [])))
      return batch.map(({ fate }) => (fate === 'left out' ? new Error('it was left out') : undefined))
    },
  })
  return { written, commit }
}

test('each entry is written once and in order, or fails by itself, whatever comes beside it', async () => {
  const fate = fc.constantFrom('good', 'good', 'good', 'poison', 'left out')
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ key: fc.integer({ min: 0, max: 6 }).map(String), fate }), { maxLength: 40 }), async (list) => {
      const { written, commit } = createStore()
      const settled = await Promise.allSettled(list.map((entry, n) => commit.add({ ...entry, n })))
      expect(settled.map(({ status }) => status)).toEqual(list.map((entry) => (entry.fate === 'good' ? 'fulfilled' : 'rejected')))
      expect(written).toEqual(list.flatMap((entry, n) => (entry.fate === 'good' ? [n] : [])))
    }),
    { numRuns: 50 },
  )
})

test('an error that no single entry caused fails the batch, entries are not tried one by one, and the next batch is written', async () => {
  const sizes: number[] = []
  const commit = createGroupCommit<string>({
    keyOf: (key) => key,
    isFaultOfOne: () => false,
    maxBatch: MAX,
    write: async (batch) => {
      if (sizes.push(batch.length) === 1) throw new Error('the store is away')
      return batch.map(() => undefined)
    },
  })
  const all = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map((key) => commit.add(key)))
  expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected', 'fulfilled'])
  expect(sizes).toEqual([4, 1])
})
