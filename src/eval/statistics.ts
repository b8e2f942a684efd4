/** 95 % of a normal distribution lie within so many deviations of its mean. */
const Z = 1.959963984540054

export interface Interval {
  low: number
  high: number
}

/** Wilson's interval of a rate at 95 % (Wilson 1927): honest also for few runs and for rates of 0 and 1. */
export function wilson(hits: number, of: number): Interval {
  if (of === 0) return { low: 0, high: 1 }
  const rate = hits / of
  const centre = rate + Z ** 2 / (2 * of)
  const spread = Z * Math.sqrt((rate * (1 - rate)) / of + Z ** 2 / (4 * of ** 2))
  const scale = 1 + Z ** 2 / of
  // At the ends the formula is exact, and its arithmetic is not.
  return { low: hits === 0 ? 0 : (centre - spread) / scale, high: hits === of ? 1 : (centre + spread) / scale }
}

/** Two arms over the same trials: how many both got right, one alone, the other alone, neither. */
export interface Pairs {
  both: number
  first: number
  second: number
  neither: number
}

export interface PairedDifference extends Interval {
  /** Rate of the first less rate of the second. */
  difference: number
  /** How likely trials that differ would fall as one-sidedly, or more so, if the arms were alike (exact sign test). */
  p: number
}

/** The difference of two rates over the same trials, with Newcombe's interval at 95 % (1998, method 10). */
export function pairedDifference({ both, first, second, neither }: Pairs): PairedDifference {
  const of = both + first + second + neither
  if (of === 0) return { difference: 0, low: -1, high: 1, p: 1 }
  const one = { hits: both + first, rate: (both + first) / of, ...wilson(both + first, of) }
  const two = { hits: both + second, rate: (both + second) / of, ...wilson(both + second, of) }
  const product = one.hits * (of - one.hits) * two.hits * (of - two.hits)
  const phi = product === 0 ? 0 : correlation(both * neither - first * second, of) / Math.sqrt(product)
  const reach = (a: number, b: number) => Math.sqrt(Math.max(a ** 2 - 2 * phi * a * b + b ** 2, 0))
  const difference = one.rate - two.rate
  return {
    difference,
    low: difference - reach(one.rate - one.low, two.high - two.rate),
    high: difference + reach(one.high - one.rate, two.rate - two.low),
    p: signTest(first, second),
  }
}

/** Newcombe's correction for continuity: a positive one is brought nearer to nothing. */
const correlation = (cross: number, of: number) => (cross > 0 ? Math.max(cross - of / 2, 0) : cross)

/** Exact, two-sided. */
function signTest(wins: number, losses: number): number {
  const of = wins + losses
  let term = 0.5 ** of
  let tail = 0
  for (let k = 0; k <= Math.min(wins, losses); k++) {
    tail += term
    term *= (of - k) / (k + 1)
  }
  return Math.min(1, 2 * tail)
}

/** The value in the middle of a list; undefined for an empty one. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]]
  return low === undefined || high === undefined ? undefined : (low + high) / 2
}
