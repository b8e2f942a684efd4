// What is put aside when a conversation nears its window. One large step at a time: between two of them a conversation only grows at its end, so that the provider's cache has the whole of it.

/** Shares of the room. Over the first a conversation is cut, down to the second. */
const HIGH = 0.9
const LOW = 0.5
/** Over this after a cut, and with so much to sum up, a summary saves more than it costs. */
const TIGHT = 0.75
const WORTH_SUMMING = 0.25
/** What a summary has to free at the least, where nothing else does. */
const LEAST_SUMMED = 0.05
/** Share of the room that is kept as it is behind a summary. */
const KEPT = 0.2

/** A result that stands in the conversation as it came. */
export interface Shown {
  id: string
  /** Bytes that a stub in its place would free. */
  frees: number
}

/** Too little for a stub: it would hardly be shorter. */
const LEAST_FREED = 200

export interface Fill {
  /** Tokens that a request may have. */
  room: number
  /** Tokens that the next one would have. */
  tokens: number
  /** Tokens for a byte. */
  density: number
  /** Results before the last turn with calls, oldest first. */
  old: readonly Shown[]
  /** Those of the last turn with calls: the model has not gone on from them yet. */
  fresh: readonly Shown[]
  /** Bytes of what a summary may stand for. */
  summable: number
  /** The turn is the last one, so that nothing is gained by room for later ones. */
  isLast: boolean
}

export interface Cut {
  /** Ids of results whose bodies become stubs. */
  aside: string[]
  /** A summary is due before the next turn. */
  summary: boolean
}

const NO_CUT: Cut = { aside: [], summary: false }

/** Whether anything is put aside at all. */
export const isFull = ({ room, tokens }: Pick<Fill, 'room' | 'tokens'>): boolean => tokens > room * HIGH

/**
 * What is put aside before a turn. First results, oldest first and never those of the last turn; where that is not enough, what was said is summed up; and where what is left is
 * results of the last turn, those, largest first: the model reads them in parts.
 */
export function decideCut({ room, tokens, density, old, fresh, summable, isLast }: Fill): Cut {
  if (!isFull({ room, tokens })) return NO_CUT
  const aside: string[] = []
  let after = tokens
  const putAside = (results: readonly Shown[], share: number) => {
    for (const { id, frees } of results) {
      if (after <= room * share) return
      if (frees < LEAST_FREED) continue
      aside.push(id)
      after -= frees * density
    }
  }
  putAside(old, LOW)
  // Beside what stubs free of it.
  const gain = summable * density - (tokens - after)
  const isOver = after > room * HIGH
  const isTight = !isLast && after > room * TIGHT
  // Notes are written from results as they are.
  if ((isTight || isOver) && gain >= room * WORTH_SUMMING) return { aside: [], summary: true }
  if (!isOver) return { aside, summary: false }
  putAside(
    fresh.toSorted((a, b) => b.frees - a.frees),
    TIGHT,
  )
  return after > room * HIGH && gain >= room * LEAST_SUMMED ? { aside: [], summary: true } : { aside, summary: false }
}

/** How many of the exchanges a summary stands for: all but the last one, and but those before it that are short. `bytes`: of each, oldest first. */
export function summedBy(bytes: readonly number[], { room, density }: Pick<Fill, 'room' | 'density'>): number {
  let left = (room * KEPT) / density
  let from = bytes.length - 1
  left -= bytes[from] ?? 0
  while (from > 0) {
    left -= bytes[from - 1] ?? 0
    if (left < 0) break
    from--
  }
  return Math.max(0, from)
}
