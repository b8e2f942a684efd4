import { constants } from 'node:os'
import { Command, CommanderError } from 'commander'
import { environment } from '../config/environment.ts'
import { describeFailure, toFailure } from '../core/failure.ts'
import { EXIT, FAILURES } from '../core/failure-codes.ts'
import { showText } from '../lib/text.ts'
import { VERSION } from '../lib/version.ts'
import { commandsFor } from './commands.ts'
import { createTerminal, type Terminal } from './terminal/terminal.ts'

const ABOUT = `Lets an LLM work through the MCP tools behind Pomerium while nobody is signed in.`
const MORE = `
The configuration is config/nightshift.yaml, or what --config or
NIGHTSHIFT_CONFIG names.
Exit codes: 0 succeeded, 1 failed, 2 wrong use or input, 3 evidence does not
hold or lines are unexplained, 4 incomplete, 5 waiting for a person,
6 cancelled, 7 store or queue away.`

/** Runs one command line. Returns the exit code; prints every failure with its code and cure, and never a stack. */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode: number = EXIT.ok
  const program = new Command('nightshift').description(ABOUT).addHelpText('after', MORE).exitOverride()
  program.version(VERSION, '--version', 'print the version')
  program.option('-c, --config <file>', 'configuration file')
  program.configureOutput({ writeOut: (text) => terminal.out(text.trimEnd()), writeErr: (text) => terminal.err(text.trimEnd()) })
  for (const [heading, adds] of await commandsFor(args)) {
    const before = program.commands.length
    for (const add of adds) add(program, terminal, (code) => (exitCode = code))
    for (const command of program.commands.slice(before)) inheritSettings(command.helpGroup(heading), program)
  }
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    if (terminal.signal.aborted) return interrupted(terminal.signal.reason)
    const failure = toFailure(error)
    terminal.err(`${terminal.colors.red(failure.code)} ${showText(describeFailure(failure))}`)
    return FAILURES[failure.code].exit
  }
}

/** Settings of the program for a command and those below it, and where its use is explained after an error. */
function inheritSettings(command: Command, from: Command, name = command.name()): void {
  command.copyInheritedSettings(from)
  command.showHelpAfterError(`See nightshift ${name} --help.`)
  for (const below of command.commands) inheritSettings(below, command, `${name} ${below.name()}`)
}

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
}
