/** Chance that comes out the same for the same seed. */
export interface Dice {
  /** From 0 up to 1. */
  roll(): number
  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number
  shuffle<T>(items: readonly T[]): T[]
}

/** Dice by Marsaglia's xorshift on 32 bits. */
export function createDice(seed: number): Dice {
  let state = (seed * 2_654_435_761) >>> 0 || 1
  function roll(): number {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
  const between = (from: number, to: number) => from + Math.floor(roll() * (to - from + 1))
  return {
    roll,
    between,
    shuffle(items) {
      const left = [...items]
      return items.flatMap(() => left.splice(between(0, left.length - 1), 1))
    },
  }
}
