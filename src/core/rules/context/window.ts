// How much of a conversation a model can read, and how much a request is of that.

/** What a model reads at once, in tokens, the answer included; and the longest answer it gives. */
export interface Window {
  tokens: number
  maxOutputTokens?: number | undefined
}

/** Shares of the window that are kept free for an answer: of which nobody says how long it may be, as the model's own most, and as asked for. */
const ANSWER_SHARE = 1 / 4
const MOST_BY_MODEL = 1 / 3
const MOST_ASKED = 3 / 4

/** Tokens that are kept free for an answer. `asked`: the most that it is allowed. */
const keptFree = ({ tokens, maxOutputTokens }: Window, asked?: number): number =>
  asked !== undefined ? Math.min(asked, tokens * MOST_ASKED) : Math.min(maxOutputTokens ?? tokens * ANSWER_SHARE, tokens * MOST_BY_MODEL)

/** Tokens that a request may have, beside the answer. */
export const roomOf = (window: Window, asked?: number): number => Math.max(1, Math.floor(window.tokens - keptFree(window, asked)))

/** Most tokens of an answer of which nobody says how long it may be; undefined where neither the window nor the longest answer is known. */
export const longestAnswer = ({ tokens, maxOutputTokens }: Partial<Window>): number | undefined =>
  tokens === undefined ? maxOutputTokens : Math.max(1, Math.ceil(keptFree({ tokens, maxOutputTokens })))

/** Tokens for a byte: before anything was counted, and the least and most that are believed. */
const UNCOUNTED = 1 / 3
const LEAST = 1 / 8
const MOST = 1

/**
 * Shares of the room that the results of one turn take together at the most: as they come, so that what was said before stays and is found in the provider's cache; and of pages,
 * which the model asked for. Bytes that are shown of each in any case.
 */
const SHARES = { result: 1 / 8, page: 1 / 4 }
const LEAST_SHOWN = 1024

/** Most bytes that are shown at once of a result, or of a page of one, beside those of the other calls of its turn: what the job says, and no more than leaves room for what was said before. */
export function shownBytes(of: keyof typeof SHARES, resultBytes: number, window: Window | undefined, calls: number): number {
  if (window === undefined) return resultBytes
  const share = (roomOf(window) * SHARES[of]) / UNCOUNTED / Math.max(calls, 1)
  return Math.min(resultBytes, Math.max(LEAST_SHOWN, Math.floor(share)))
}

/** Share of the room from which on a provider that works by itself is asked to compact. */
const COMPACT_SHARE = 0.8

/** From how many tokens on a provider compacts by itself. */
export const compactAt = (window: Window, asked?: number): number => Math.floor(roomOf(window, asked) * COMPACT_SHARE)

/** Bytes of a token, as most texts have it. */
const USUAL_BYTES = 4

/** What a provider had to read that leaves out what does not fit, where that is more than fits; in tokens. */
export function leftOut(bytes: number, fits: number | undefined): { tokens: number; of: number } | undefined {
  const tokens = Math.floor(bytes / USUAL_BYTES)
  return fits !== undefined && tokens > fits ? { tokens, of: fits } : undefined
}

/** A request as its provider counted it, with its size. */
export interface Counted {
  bytes: number
  tokens: number
}

/** Bytes by which two requests must differ to tell how dense what lies between them is. */
const TELLING_BYTES = 1000

/** Tokens for a byte of what is added or taken away, as this conversation showed by its first and its last count. */
export function densityOf(first: Counted | undefined, last: Counted | undefined): number {
  if (!last) return UNCOUNTED
  const grown = first && last.bytes - first.bytes >= TELLING_BYTES
  const density = grown ? (last.tokens - first.tokens) / (last.bytes - first.bytes) : last.tokens / last.bytes
  return Math.min(MOST, Math.max(LEAST, density))
}

/** Tokens of a request: what the one before was counted as, and what was added since, or put aside, by its bytes. */
export function estimateTokens(bytes: number, first: Counted | undefined, last: Counted | undefined): number {
  const density = densityOf(first, last)
  const tokens = last ? last.tokens + (bytes - last.bytes) * density : bytes * density
  return Math.max(1, Math.ceil(tokens))
}

/** What a provider counted of a text, as far as it can have so many: some count what they asked of themselves meanwhile, or all requests so far. */
export const believedTokens = (bytes: number, tokens: number): number => Math.min(bytes * MOST, tokens)

/** No text has fewer tokens: what does not fit by this does not fit. */
export const leastTokens = (bytes: number): number => Math.floor(bytes * LEAST)
