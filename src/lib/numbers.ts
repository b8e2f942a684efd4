import { isLost } from './json/exact.ts'

/** A number in groups of three, or any other, with a sign that stands alone. */
const NUMBER = /(?<![\d.,])[-−]?(?:\d{1,3}(?:[ ,'’.\u00A0\u202F]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)?)/g
const GROUPED = /^\d{1,3}(?:([ ,'’.\u00A0\u202F])\d{3})+(?:[.,]\d+)?$/

/**
 * The numbers that a text may mean: 14,988 and 14'988 are one, and 9,86 is 9.86. What has two readings, such as 14.988, gives both: a check of a
 * value asks whether it is among them.
 */
export function numbersIn(text: string): number[] {
  return [...text.matchAll(NUMBER)].flatMap(([found]) => {
    const negative = /^[-−]/.test(found)
    const digits = found.replace(/^[-−]/, '')
    const values = [plain(digits), grouped(digits)].filter((value) => value !== undefined)
    // A dash may be a sign or stand between two numbers.
    return negative ? values.flatMap((value) => [-value, value]) : values
  })
}

function plain(digits: string): number | undefined {
  return /^\d+(?:[.,]\d+)?$/.test(digits) ? known(digits.replace(',', '.')) : undefined
}

function grouped(digits: string): number | undefined {
  const separator = GROUPED.exec(digits)?.[1]
  if (separator === undefined) return undefined
  const [, head = '', tail = ''] = /^(.*?\d{3})(?:[.,](\d+))?$/.exec(digits) ?? []
  // A last group of three after the same separator belongs to the groups.
  const whole = digits.replaceAll(separator, '')
  return known(/^\d+$/.test(whole) ? whole : `${head.replaceAll(separator, '')}.${tail}`)
}

/** Of a number that would become another one, nothing is known that could be compared. */
const known = (digits: string) => (isLost(digits) ? undefined : Number(digits))
