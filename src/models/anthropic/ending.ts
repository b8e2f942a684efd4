import { Failure } from '../../core/failure.ts'
import type { StopReason } from '../model.ts'
import { knownEnding, type Answered, type EndingWords } from '../errors/endings.ts'

const WORDS: EndingWords = {
  end_turn: 'end',
  stop_sequence: 'end',
  tool_use: 'end',
  max_tokens: 'cut',
  refusal: 'filtered',
}

/** The provider took a break: what it said goes back to it, and it goes on. */
export const isPause = (reason: unknown): boolean => reason === 'pause_turn'

/** `stop_reason`. Throws `MODEL_UNAVAILABLE` for an ending that is not known to be good, and `CONTEXT_FULL` where the window ended. */
export function messageEnding(reason: unknown, answered: Answered): StopReason {
  if (reason === 'model_context_window_exceeded')
    throw new Failure({
      code: 'CONTEXT_FULL',
      message: `Model ${answered.model}: the context window ended in the midst of the answer.`,
      requestId: answered.requestId ?? undefined,
    })
  return knownEnding(WORDS, reason, answered)
}
