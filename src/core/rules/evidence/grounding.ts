// Whether values of an answer stand in what tools gave. Only for the paths that a job names: what a model works out from results stands in none of them.
import { isLost } from '../../../lib/json/exact.ts'
import { parsedJson } from '../../../lib/json/parsed.ts'
import { pointerTo } from '../../../lib/json/tree.ts'
import { numbersIn } from '../../../lib/numbers.ts'

/** A value that stands in no result. */
export interface Ungrounded {
  /** A JSON pointer. */
  path: string
  value: string | number
}

type Leaf = { path: (string | number)[]; value: unknown }

/**
 * The numbers and texts at these paths, such as `rows.*.rate`, that stand in none of the results. A number may be rounded, though not to 0. Of a result that is JSON its
 * values count, not the figures inside its texts: an order such as “report 0” in a remark makes no 0 true.
 */
export function ungroundedIn(value: unknown, paths: readonly string[], results: readonly string[]): Ungrounded[] {
  if (paths.length === 0) return []
  const found = paths.flatMap((path) => leavesAt({ path: [], value }, path.split('.')))
  const known = results.map(contentsOf)
  const numbers = [...new Set(known.flatMap((one) => one.numbers))]
  const holdsText = (text: string) => known.some((one) => one.text.includes(text.toLowerCase()))
  const holdsNumber = (number: number) => numbers.some((one) => one === number || (number !== 0 && rounded(one, number) === number))
  return found.flatMap(({ path, value: leaf }) => {
    const isGrounded = typeof leaf === 'number' ? holdsNumber(leaf) : typeof leaf === 'string' ? holdsText(leaf) : true
    return isGrounded || (typeof leaf !== 'number' && typeof leaf !== 'string') ? [] : [{ path: pointerTo(path), value: leaf }]
  })
}

/** As many decimals as the number has that is compared. */
const rounded = (known: number, written: number) => Number(known.toFixed(Math.min(/\.(\d+)$/.exec(String(written))?.[1]?.length ?? 0, 20)))

/** All values at a path, or under what stands there; `*` is each key or place. */
function leavesAt(at: Leaf, path: readonly string[]): Leaf[] {
  const { value } = at
  if (typeof value !== 'object' || value === null) return path.length === 0 ? [at] : []
  const [key, ...rest] = path
  return Object.entries(value)
    .filter(([name]) => key === undefined || key === '*' || key === name)
    .flatMap(([name, one]) => leavesAt({ path: [...at.path, name], value: one }, rest))
}

/** What a result holds, to be compared: its numbers, and its text in small letters. */
function contentsOf(text: string): { numbers: number[]; text: string } {
  const value = parsedJson(text)
  if (value === undefined) return { numbers: numbersIn(text), text: text.toLowerCase() }
  const values = leavesAt({ path: [], value }, []).map((leaf) => leaf.value)
  const numbers = values
    .filter((one) => typeof one === 'number' || (typeof one === 'string' && one.trim() !== '' && !isLost(one.trim())))
    .map(Number)
  const texts = values.filter((one) => typeof one === 'string')
  return { numbers: numbers.filter((one) => Number.isFinite(one)), text: texts.join('\n').toLowerCase() }
}
