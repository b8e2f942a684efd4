import type { Command, Option } from 'commander'

/** What may stand at the end of a command line. */
export interface Candidates {
  words: readonly Candidate[]
  /** Names of files may stand there as well. */
  files: boolean
}

export interface Candidate {
  word: string
  about: string
}

/** What an argument or an option may be, by the name that it has in the usage, where no list of choices says it. */
export type Values = (name: string) => readonly string[] | undefined

/** Values that are files or directories; any other is a word that only the caller knows. */
const FILES: readonly string[] = ['file', 'dir', 'path', 'config']

interface Place {
  command: Command
  /** Arguments of the command that stand there already. */
  given: number
  /** The option whose value comes next. */
  option: Option | undefined
}

/** What may follow the words before, and begins with `current`: of the command that they name its commands, options and arguments, with their values. */
export function candidatesFor(program: Command, before: readonly string[], current: string, values: Values): Candidates {
  const place = placeAfter(program, before)
  const { words, files } = allAt(place, current, values)
  return { words: words.filter(({ word }) => word.startsWith(current)), files }
}

function allAt({ command, given, option }: Place, current: string, values: Values): Candidates {
  const joined = current.startsWith('--') && current.includes('=') ? optionOf(command, current) : undefined
  if (joined) {
    const { words, files } = valuesOf(joined, values)
    return { words: words.map(({ word, about }) => ({ word: `${joined.long}=${word}`, about })), files }
  }
  if (option && !(option.variadic && current.startsWith('-'))) return valuesOf(option, values)
  if (current.startsWith('-'))
    return { words: optionsOf(command).flatMap((one) => namesOf(one).map((word) => ({ word, about: one.description }))), files: false }
  const below = given > 0 ? [] : command.createHelp().visibleCommands(command)
  const commands = below.map((one) => ({ word: one.name(), about: one.description() }))
  const args = command.registeredArguments
  const argument = args[given] ?? (args.at(-1)?.variadic === true ? args.at(-1) : undefined)
  if (!argument) return { words: commands, files: false }
  const { words, files } = named(argument.argChoices, argument.name(), values)
  return { words: [...commands, ...words], files }
}

/** Where the words lead: through commands, and past options with their values. */
function placeAfter(program: Command, words: readonly string[]): Place {
  let place: Place = { command: program, given: 0, option: undefined }
  for (const word of words) {
    const { command, given, option } = place
    const isOption = word.startsWith('-')
    if (option && !(option.variadic && isOption)) place = { command, given, option: option.variadic ? option : undefined }
    else if (isOption) {
      const next = optionOf(command, word)
      place = { command, given, option: next && takesValue(next) && !word.includes('=') ? next : undefined }
    } else {
      const below = given === 0 ? command.commands.find((one) => one.name() === word) : undefined
      place = { command: below ?? command, given: below ? 0 : given + 1, option: undefined }
    }
  }
  return place
}

const takesValue = ({ required, optional }: Option) => required || optional
const namesOf = ({ short, long }: Option) => [long, short].filter((name) => name !== undefined)

/** Options of a command, and of those above it, which may stand behind its name as well. */
const optionsOf = (command: Command): readonly Option[] => [
  ...command.createHelp().visibleOptions(command),
  ...(command.parent?.options ?? []).filter(({ long }) => long !== '--version'),
  ...(command.parent?.parent?.options ?? []).filter(({ long }) => long !== '--version'),
]

function optionOf(command: Command, word: string): Option | undefined {
  const [name = ''] = word.split('=')
  return optionsOf(command).find((option) => namesOf(option).includes(name))
}

function valuesOf(option: Option, values: Values): Candidates {
  const known = option.argChoices ?? values(option.attributeName())
  return named(known, /[<[]([^>\].]*)/.exec(option.flags)?.[1] ?? '', values)
}

function named(choices: readonly string[] | undefined, name: string, values: Values): Candidates {
  const known = choices ?? values(name) ?? []
  return { words: known.map((word) => ({ word, about: '' })), files: FILES.includes(name) }
}
