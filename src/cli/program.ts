import { Command } from 'commander'
import { VERSION } from '../lib/version.ts'
import { commandsFor } from './commands.ts'
import { understoodTimes } from './options/time.ts'
import type { Terminal } from './terminal/terminal.ts'

const ABOUT = `Lets an LLM work through the MCP tools behind Pomerium while nobody is signed in.`
const MORE = `
The configuration is config/nightshift.yaml, or what --config or
NIGHTSHIFT_CONFIG names.
Exit codes: 0 succeeded, 1 failed, 2 wrong use or input, 3 evidence does not
hold or lines are unexplained, 4 incomplete, 5 waiting for a person,
6 cancelled, 7 store or queue away.`

/** The program with the commands that the words of a command line may mean; `done` is told the exit code of the one that ran. */
export async function createProgram(args: readonly string[], terminal: Terminal, done: (exitCode: number) => void): Promise<Command> {
  const program = new Command('nightshift').description(ABOUT).addHelpText('after', MORE).exitOverride()
  program.version(VERSION, '--version', 'print the version')
  program.option('-c, --config <file>', 'configuration file')
  program.configureOutput({ writeOut: (text) => terminal.out(text.trimEnd()), writeErr: (text) => terminal.err(text.trimEnd()) })
  for (const [heading, adds] of await commandsFor(args)) {
    const before = program.commands.length
    for (const add of adds) add(program, terminal, done)
    for (const command of program.commands.slice(before)) inheritSettings(command.helpGroup(heading), program)
  }
  program.hook('preAction', (_, command) => {
    for (const line of understoodTimes(command)) terminal.err(line)
  })
  return program
}

/** Settings of the program for a command and those below it, and where its use is explained after an error. */
function inheritSettings(command: Command, from: Command, name = command.name()): void {
  command.copyInheritedSettings(from)
  command.showHelpAfterError(`See nightshift ${name} --help.`)
  for (const below of command.commands) inheritSettings(below, command, `${name} ${below.name()}`)
}
