/**
 * How many steps a pattern has once its counted repetitions are written out, which is what compiling it in linear time costs in time and memory. An upper estimate of
 * the text alone, which need not be a right pattern.
 */
export function patternSize(pattern: string): number {
  const sums = [0]
  let atom = 0
  const add = (size: number) => {
    atom = size
    sums.push((sums.pop() ?? 0) + size)
  }
  for (let at = 0; at < pattern.length; at++) {
    const counted = COUNTED.exec(pattern.slice(at, at + MAX_COUNTED))
    if (counted) {
      const times = Math.max(Number(counted[1]), Number(counted[2] ?? 0))
      add(atom * Math.max(times - 1, 0))
      // What follows repeats the whole of it.
      atom *= Math.max(times, 1)
      at += counted[0].length - 1
    } else if (pattern[at] === '(') sums.push(0)
    else if (pattern[at] === ')' && sums.length > 1) add(sums.pop() ?? 0)
    else {
      if (pattern[at] === '\\') at++
      else if (pattern[at] === '[') at = endOfClass(pattern, at)
      add(1)
    }
  }
  return sums.reduce((sum, one) => sum + one, 0)
}

const COUNTED = /^\{(\d{1,6})(?:,(\d{0,6}))?\}/
const MAX_COUNTED = 16

function endOfClass(pattern: string, from: number): number {
  let at = from + 1
  while (at < pattern.length && (pattern[at] !== ']' || at === from + 1)) at += pattern[at] === '\\' ? 2 : 1
  return at
}
