import { closest, distance } from 'fastest-levenshtein'

const sorted = (name: string) => name.split('').toSorted().join('')

/** A slip of the pen: letters in another order, another case, or at most one in three wrong, and three in all. */
export const isNear = (a: string, b: string): boolean =>
  a.toLowerCase() === b.toLowerCase() ||
  (a.length === b.length && sorted(a) === sorted(b)) ||
  distance(a, b) <= Math.min(3, Math.floor(Math.min(a.length, b.length) / 3))

/** One letter is wrong, missing or too much, or letters are in another order or case. Names that differ in a digit are two names, such as two versions. */
export const isTypo = (a: string, b: string): boolean =>
  digitsOf(a) === digitsOf(b) &&
  (distance(a, b) === 1 || a.toLowerCase() === b.toLowerCase() || (a.length === b.length && sorted(a) === sorted(b)))

const digitsOf = (name: string) => name.replaceAll(/\D/g, '')

/** The name that was meant by a slip of the pen; undefined when none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined
  const near = closest(name, [...known])
  return isNear(name, near) ? near : known.find((one) => isNear(name, one))
}

const MAX_NAMED = 30

/** What to write in place of a name that is not known: the one that was meant, or else those there are. */
export function suggest(name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  return near === undefined ? listNames(known) : `did you mean ${near}?`
}

/** The names there are, where none is near. */
export function listNames(known: readonly string[]): string {
  if (known.length === 0) return 'there is none'
  return `known are ${known.slice(0, MAX_NAMED).join(', ')}${known.length > MAX_NAMED ? ', …' : ''}`
}
