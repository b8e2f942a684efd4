import { idIn } from '../../foreign.ts'

/**
 * Which result is of which call: the first without one that has its id. Some servers give one id to several calls, and a result is the end of one of them. An id is told
 * with its number from the second call of it on, the same each time that an answer is read.
 */
export function createPairs() {
  const counts = new Map<string, number>()
  const open = new Map<string, string[]>()
  /** Calls without an id that have no result yet. */
  let nameless = 0
  return {
    /** The id of a call that is met; undefined where it has none. */
    call(given: unknown): string | undefined {
      const id = idIn(given)
      if (id === undefined) {
        nameless++
        return undefined
      }
      const nth = (counts.get(id) ?? 0) + 1
      counts.set(id, nth)
      const own = nth === 1 ? id : `${id} (${nth})`
      open.set(id, [...(open.get(id) ?? []), own])
      return own
    },
    /** The call that a result is of. `none`: no such call was met. `again`: each has its result. Undefined: one of those without an id. */
    result(given: unknown): { of: string } | 'none' | 'again' | undefined {
      const id = idIn(given)
      if (id === undefined) return nameless-- > 0 ? undefined : 'none'
      const own = open.get(id)?.shift()
      if (own !== undefined) return { of: own }
      return counts.has(id) ? 'again' : 'none'
    },
  }
}
