import { Failure } from '../../core/failure.ts'
import type { Terminal } from './terminal.ts'

/** Asks before something that is not undone easily. Without a terminal to ask on, `--yes` must be given. */
export async function confirm(terminal: Terminal, question: string, yes: boolean): Promise<boolean> {
  if (yes) return true
  if (!terminal.ask) throw new Failure({ code: 'COMMAND_INVALID', message: `${question} There is nobody to ask.`, cure: 'Add --yes.' })
  return /^y(es)?$/i.test((await terminal.ask(`${question} [y/N] `)).trim())
}
