import { InvalidArgumentError, type Command } from 'commander'
import { destination, pino, type Logger } from 'pino'
import { z } from 'zod'
import { isNewStore, openStore } from '../../app/open/store.ts'
import { loadConfig, type Config } from '../../config/load.ts'
import { loadToCheck } from '../../config/check/unset.ts'
import { findStore, type FoundStore, type StorePlace } from '../../config/store/store-place.ts'
import type { Db } from '../../runs/queries.ts'
import { showText } from '../../lib/text.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** A command's part of the program: adds itself, and reports its exit code. */
export type AddCommand = (program: Command, terminal: Terminal, done: (exitCode: number) => void) => void

const globalSchema = z.object({ config: z.string().optional() })

/** The configuration that the command line names. */
export function configOf(command: Command, terminal: Terminal): Config {
  const { config: file } = globalSchema.parse(command.optsWithGlobals())
  return loadConfig({ file, env: terminal.env })
}

/** The same as it is by now, for a process that has read it before and must not wait for it. */
export function configAgain(command: Command, terminal: Terminal): Config {
  const { config: file } = globalSchema.parse(command.optsWithGlobals())
  return loadConfig({ file, env: terminal.env, again: true })
}

/** The same for a command that only checks files: a variable that is not set is a note of it. */
export function configToCheck(command: Command, terminal: Terminal): Config {
  const { config: file } = globalSchema.parse(command.optsWithGlobals())
  return loadToCheck({ file, env: terminal.env })
}

/**
 * Where the store is, for a command that stops things or says how they stand: a fault elsewhere in the configuration file is a warning for it. What such a fault could
 * change for the command it asks of `config`, which is not there then. Throws it where there is nothing yet at that place: a store that is made for the command is not the one
 * that is meant.
 */
export function storeOf(command: Command, terminal: Terminal): FoundStore {
  const { config: file } = globalSchema.parse(command.optsWithGlobals())
  const found = findStore({ file, env: terminal.env })
  if (found.fault && isNewStore(found.place)) throw found.fault
  if (found.fault)
    terminal.err(
      terminal.colors.yellow(
        `${showText(found.fault.message.trimEnd())}\nThis command needs only where the store is, and goes on. What is in force is what nightshift start read last.`,
      ),
    )
  return found
}

/** The store of a configuration, open until it is disposed of. */
export async function openStoreOf(config: StorePlace): Promise<{ db: Db } & AsyncDisposable> {
  await using building = new AsyncDisposableStack()
  const { db } = await openStore(config, building)
  const stack = building.move()
  return { db, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** Log of a command that a person waits for: only what they must know, beside the output. */
export function quietLog(): Logger {
  return pino({ level: 'warn', base: null }, destination(2))
}

/** Examples below a command's help. */
export const examples = (...lines: string[]): string => `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`

/** An option that must say something. */
export function notEmpty(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty.')
  return text
}
