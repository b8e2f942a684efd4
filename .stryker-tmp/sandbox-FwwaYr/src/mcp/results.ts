// @ts-nocheck
import type { ToolOutcome } from '../core/ports/toolbox.ts'
import { showResult, type Showing } from '../core/words/results.ts'
import { resultText } from './content.ts'
import type { CallAnswer } from './session/session.ts'

/** What the model is told of an answer. A tool's own error, and the server's, are results: the model decides what follows. */
export function readAnswer(answer: CallAnswer, showing: Showing): ToolOutcome {
  const isError = answer.kind === 'rpc-error' || answer.result.isError === true
  const whole = answer.kind === 'rpc-error' ? `Error ${answer.code}: ${answer.message}` : resultText(answer.result)
  return { status: isError ? 'error' : 'ok', ...showResult(whole, showing), failure: null, mistake: false }
}
