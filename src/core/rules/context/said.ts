// Figures in a provider's words for a conversation that is too long.

/** A window that can be: models read no less, and none reads more yet. */
const LEAST_TOKENS = 256
const MOST_TOKENS = 2 ** 27
/** Characters of a message that are read. */
const MAX_READ = 2000

/** Words right before the most that a model reads, in the order in which they count. */
const LIMITS: readonly RegExp[] = [
  /\bcontext limit: \d{1,9} \+ \d{1,9} > /,
  /\d tokens > /,
  /\b(?:context|sequence|prompt|input|model) (?:length|size|window|limit)(?: is| of|:)?(?: only)? \(?/,
  /\bmaximum number of (?:input )?tokens(?: allowed)? \(?/,
  /\blarge for model with /,
  /\b(?:cannot exceed|must not exceed|must be (?:<=|≤|at most|less than)|at most|no more than|limit) /,
]
const NUMBER = /^(\d{1,3}(?:[,_]\d{3}){1,3}|\d{3,9})(?![,_]?\d)/
const NUMBERS = /(?<![\w.,])(?:\d{1,3}(?:[,_]\d{3}){1,3}|\d{3,9})(?![,_]?\d)/g

export interface SaidSize {
  /** The window. */
  limit: number | undefined
  /** What the request was counted as. */
  asked: number | undefined
}

/** What a provider says of the window and of a request that does not fit; what is not said, or cannot be, is undefined. */
export function saidSize(message: string): SaidSize {
  const words = message.slice(0, MAX_READ).toLowerCase()
  const limit = LIMITS.map((said) => numberAfter(words, said)).find((one) => one !== undefined)
  if (limit === undefined) return { limit: undefined, asked: undefined }
  const larger = [...words.matchAll(NUMBERS)].flatMap(([digits]) => tokensOf(digits) ?? []).filter((one) => one > limit)
  return { limit, asked: larger.length === 0 ? undefined : Math.max(...larger) }
}

function numberAfter(words: string, said: RegExp): number | undefined {
  const found = said.exec(words)
  return found === null ? undefined : tokensOf(NUMBER.exec(words.slice(found.index + found[0].length))?.[1])
}

function tokensOf(digits: string | undefined): number | undefined {
  const value = Number((digits ?? '').replaceAll(/[,_]/g, ''))
  return value >= LEAST_TOKENS && value <= MOST_TOKENS ? value : undefined
}
