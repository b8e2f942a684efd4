import { constants } from 'node:os'
import { CommanderError } from 'commander'
import { environment } from '../config/environment.ts'
import { describeFailure, toFailure } from '../core/failure.ts'
import { EXIT, FAILURES } from '../core/failure-codes.ts'
import { showText } from '../lib/text.ts'
import { createProgram } from './program.ts'
import { untilEnded } from './terminal/ending.ts'
import { createTerminal, fold, type Terminal } from './terminal/terminal.ts'

/** Runs one command line. Returns the exit code; prints every failure with its code and cure, and never a stack. */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode: number = EXIT.ok
  const program = await createProgram(args, terminal, (code) => (exitCode = code))
  try {
    await untilEnded(terminal.signal, program.parseAsync(args, { from: 'user' }))
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    if (terminal.signal.aborted) return interrupted(terminal.signal.reason)
    const failure = toFailure(error)
    terminal.err(fold(`${terminal.colors.red(failure.code)} ${showText(describeFailure(failure))}`, terminal))
    return FAILURES[failure.code].exit
  }
}

/** What is left of an output to be written after a command has ended. */
const LAST_WORDS_MS = 200

/** What a shell expects of a program that a signal ended. */
const interrupted = (reason: unknown) => 128 + (reason === 'SIGTERM' ? constants.signals.SIGTERM : constants.signals.SIGINT)

/**
 * The command line of this process: Ctrl-C ends it in order, a second one at once.
 * @public bin.js begins here.
 */
export async function runFromShell(): Promise<void> {
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (ending.signal.aborted) process.exit(interrupted(signal))
      ending.abort(signal)
    })
  }
  // A reader that went away, such as head, is no fault.
  process.stdout.on('error', (error) => process.exit('code' in error && error.code === 'EPIPE' ? EXIT.ok : EXIT.failed))
  const terminal = createTerminal({
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: environment,
    signal: ending.signal,
  })
  process.exitCode = await main(process.argv.slice(2), terminal)
  // What a command that was cut off waits for keeps the process no longer.
  if (ending.signal.aborted) setTimeout(() => process.exit(), LAST_WORDS_MS).unref()
}
