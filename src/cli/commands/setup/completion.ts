import { Argument } from 'commander'
import { z } from 'zod'
import { listJobNames } from '../../../app/open/jobs.ts'
import { loadConfig } from '../../../config/load.ts'
import { EXIT, FAILURES } from '../../../core/failure-codes.ts'
import { STATUS_WORDS } from '../../../core/run.ts'
import { showLine } from '../../../lib/text.ts'
import { commandNames } from '../../commands.ts'
import { candidatesFor, type Candidates, type Values } from '../../completion/candidates.ts'
import { FILES_LINE, SCRIPTS, SHELLS, wordsOf } from '../../completion/scripts.ts'
import { examples, type AddCommand } from '../../options/options.ts'
import { createProgram } from '../../program.ts'
import type { Terminal } from '../../terminal/terminal.ts'

const shellSchema = z.enum(SHELLS)
const shellArgument = () => new Argument('<shell>').choices(SHELLS)

export const addCompletion: AddCommand = (program, terminal, done) => {
  program
    .command('completion')
    .description('print what makes a shell complete commands, options, jobs and their like at TAB')
    .addArgument(shellArgument())
    .addHelpText(
      'after',
      examples('source <(nightshift completion bash)', 'nightshift completion fish > ~/.config/fish/completions/nightshift.fish'),
    )
    .action((shell: string) => {
      terminal.out(SCRIPTS[shellSchema.parse(shell)].trimEnd())
      done(EXIT.ok)
    })
  // What the scripts ask: a line for each word that may stand there, with a tab and what it is.
  program
    .command('complete', { hidden: true })
    .addArgument(shellArgument())
    .argument('[words...]')
    .action(async (shell: string, given: string[]) => {
      const { before, current } = wordsOf(shellSchema.parse(shell), given)
      for (const line of linesOf(await complete(before, current, terminal))) terminal.out(line)
      done(EXIT.ok)
    })
}

async function complete(before: readonly string[], current: string, terminal: Terminal): Promise<Candidates> {
  if (before.some((word) => commandNames.includes(word)))
    return candidatesFor(await createProgram(before, terminal, () => {}), before, current, valuesBy(before, terminal))
  // The name of a command comes next: no file of one is read for that.
  const bare = await createProgram(['--version'], terminal, () => {})
  const commands = new Map([['command', commandNames]])
  return candidatesFor(bare.argument('[command]'), before, current, (name) => commands.get(name))
}

const linesOf = ({ words, files }: Candidates): string[] => [
  ...words.map(({ word, about }) => `${word}\t${showLine(about)}`),
  ...(files ? [FILES_LINE] : []),
]

/** Names that a shell may have to quote are left to who types them. */
const isPlain = (word: string) => /^[\w.-]+$/.test(word)

/** What the names in the usage of commands stand for. No store is opened for it: of runs there is only the latest. */
function valuesBy(before: readonly string[], { env }: Terminal): Values {
  const config = () => loadConfig({ file: configFileIn(before), env })
  const named: Readonly<Record<string, () => readonly string[]>> = {
    job: () => listJobNames(config()),
    jobs: () => listJobNames(config()),
    run: () => ['latest'],
    account: () => Object.keys(config().accounts),
    server: () => Object.keys(config().servers),
    code: () => Object.keys(FAILURES),
    status: () => STATUS_WORDS,
  }
  return (name) => {
    const list = Object.hasOwn(named, name) ? named[name] : undefined
    try {
      return list?.().filter(isPlain)
    } catch {
      // A configuration with a fault is for the command to tell of.
      return undefined
    }
  }
}

/** The file that the words before name as the configuration. */
function configFileIn(words: readonly string[]): string | undefined {
  const joined = words.find((word) => word.startsWith('--config='))
  const at = words.findIndex((word) => word === '-c' || word === '--config')
  return joined?.slice('--config='.length) ?? (at < 0 ? undefined : words[at + 1])
}
