import type { Usage } from '../../core/run.ts'
import { SUMMARY_ASK } from '../../core/words/window/aside.ts'
import type { ConversationState } from '../state.ts'
import { addNote, isContextFull, requestOf, takeTurn, type DelegateOptions, type TakenTurn, type TurnAsk } from '../turn.ts'
import type { Context } from './context.ts'
import type { Conversation } from './view.ts'

export type FittingAsk = Omit<TurnAsk, 'number' | 'context' | 'purpose' | 'onLost'>

/**
 * Takes a turn within the window of the model: what does not fit is put aside before, and summed up by a turn of its own where that is not enough. `askNext`: what is asked, looked
 * at again after a summary, which counts against the limits. `numbers`: the number of the next turn.
 */
export async function takeFittingTurn(
  options: DelegateOptions,
  { context, state, numbers }: { context: Context; state: ConversationState; numbers: { next: number } },
  askNext: () => FittingAsk,
  signal: AbortSignal,
): Promise<{ turn: TakenTurn; sent: Conversation }> {
  const onLost = (usage: Usage) => {
    // Its row has the number.
    numbers.next++
    state.countUnseen(usage)
  }
  for (;;) {
    const ask: TurnAsk = { ...askNext(), number: numbers.next, context, onLost }
    const { conversation, forcedBy, note } = ask
    const noted = addNote(conversation, note)
    let begun = context.prepare(requestOf(options, ask, noted), noted, forcedBy !== null)
    if (!begun) {
      try {
        const taken = await takeTurn(options, ask, signal)
        numbers.next++
        return taken
      } catch (error) {
        if (!isContextFull(error)) throw error
        begun = context.toSum(conversation)
        if (!begun) throw context.full(error, requestOf(options, ask, conversation))
      }
    }
    state.takeBackNote()
    const turn = await sumUp(options, { ...ask, number: numbers.next, conversation: begun }, signal)
    numbers.next++
    state.countTurn(turn)
    if (turn.unseen) state.countUnseen(turn.unseen)
  }
}

/** Asks the model for notes on the work so far. With the same tools as before, of which none may be called: what stands before the question is in the provider's cache. */
async function sumUp(options: DelegateOptions, ask: TurnAsk, signal: AbortSignal): Promise<TakenTurn> {
  const { conversation, context } = ask
  const asking: TurnAsk = { ...ask, mayCall: false, purpose: 'summary', forcedBy: null, told: [], note: SUMMARY_ASK, startedAt: new Date() }
  try {
    return (await takeTurn(options, asking, signal)).turn
  } catch (error) {
    if (!context || !isContextFull(error)) throw error
    throw context.full(error, requestOf(options, asking, conversation))
  }
}
