// When a model repeats itself without progress: the same call with the same result and nothing new in between. A result that differs is progress, and so is a write.
import { canonicalText, sha256Hex } from '../../lib/hash/chain.ts'
import { parseDigits } from '../../lib/json/parse.ts'

/** Equal calls with equal results: at this many the model is told, refused, and ended. */
const TOLD_AT = 3
const REFUSED_FROM = 5
const ENDED_AT = 7
/** The same error of a tool, whatever its arguments: at this many the model is told, and further calls of the tool are refused. */
const SAME_ERRORS = 5
/** Turns in a row in which every call was a mistake. */
const MISTAKEN_TURNS = 3

export interface WatchedCall {
  /** As the model knows it. */
  tool: string
  /** JSON text, as the model wrote it. */
  arguments: string
}

export interface WatchedResult {
  /** What tells it from others (`identityOf`). */
  identity: string
  /** The tool answered that it failed. */
  failed: boolean
  /** No such tool, or arguments that do not fit. */
  mistake: boolean
  /** It may have changed something: what was seen before may look different now. */
  wrote: boolean
}

/** Watches the calls of a conversation in their order. Deterministic: its state follows from calls and results alone, so that a replay decides the same. */
export function createLoopWatch() {
  const equal = new Map<string, { digest: string; times: number }>()
  const seen = new Set<string>()
  const errors = new Map<string, { identity: string; times: number }>()
  let mistakenTurns = 0
  let loop: string | undefined

  /** Something is new: the counts of other calls start again. */
  function progress(except?: string): void {
    for (const key of equal.keys()) if (key !== except) equal.delete(key)
  }

  function noteErrors({ tool }: WatchedCall, { identity, failed }: WatchedResult): boolean {
    if (!failed) {
      errors.delete(tool)
      return false
    }
    const known = errors.get(tool)
    const times = known?.identity === identity ? known.times + 1 : 1
    errors.set(tool, { identity, times })
    return times === SAME_ERRORS
  }

  return {
    /** Why a call is not made, if it is not. Asked for all calls of a turn before the first of them is made. */
    refusal(call: WatchedCall): 'same-call' | 'same-error' | undefined {
      if ((equal.get(keyOf(call))?.times ?? 0) >= REFUSED_FROM - 1) return 'same-call'
      return (errors.get(call.tool)?.times ?? 0) >= SAME_ERRORS ? 'same-error' : undefined
    },
    /** A call that was refused for its repetition. */
    refused(call: WatchedCall): void {
      const known = equal.get(keyOf(call))
      if (known && ++known.times >= ENDED_AT) loop = repeated(call.tool, known.times)
    },
    /** Counts a call with its result. Returns the note that the model is to be given. */
    note(call: WatchedCall, result: WatchedResult): 'same-result' | 'same-error' | undefined {
      if (result.mistake) return undefined
      const sameError = noteErrors(call, result)
      const key = keyOf(call)
      const digest = sha256Hex(result.identity)
      const known = equal.get(key)
      const isNew = !seen.has(`${key} ${digest}`)
      seen.add(`${key} ${digest}`)
      const times = known?.digest === digest ? known.times + 1 : 1
      if (isNew || result.wrote) progress(key)
      equal.set(key, { digest, times })
      if (times >= ENDED_AT) loop = repeated(call.tool, times)
      if (sameError) return 'same-error'
      return times === TOLD_AT ? 'same-result' : undefined
    },
    /** After a wait all counts start again: looking again is not a repetition. */
    waited(): void {
      progress()
      errors.clear()
    },
    /** The end of a turn with calls. */
    endTurn(allMistakes: boolean): void {
      mistakenTurns = allMistakes ? mistakenTurns + 1 : 0
      if (mistakenTurns >= MISTAKEN_TURNS) loop = `Every call of ${mistakenTurns} turns in a row was faulty.`
    },
    /** Why the model has to answer now, if it has to. */
    reason: () => loop,
  }
}

const repeated = (tool: string, times: number) => `The model made the same call of ${tool} ${times} times.`

/** Calls are equal by what their arguments mean, not by how they are written. */
function keyOf({ tool, arguments: text }: WatchedCall): string {
  try {
    return `${tool} ${canonicalText(parseDigits(text))}`
  } catch {
    return `${tool} ${text.trim()}`
  }
}
