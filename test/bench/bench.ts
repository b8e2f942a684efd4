/** One benchmark: `npm run bench -- NAME`. */
export interface Bench {
  name: string
  /** What it measures, in a line. */
  about: string
  run(options: BenchOptions): Promise<Row[]>
}

export interface BenchOptions {
  /** Times each figure is taken; the median is reported. */
  reps: number
  /** Smaller or larger than the bench's own size: 0.1 is a tenth of it. */
  scale: number
  /** Tells of what goes on. */
  say: (line: string) => void
  /** Tells of a bound that was passed: the bench ends with exit code 1. */
  fail: (line: string) => void
}

/** Figures by name, with their unit in it. */
export type Row = Record<string, string | number>

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

export const round = (value: number, digits = 1): number => Number(value.toFixed(digits))
