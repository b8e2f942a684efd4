import { Argument, Command, Option } from 'commander'
import { expect, test } from 'vitest'
import { candidatesFor } from '../../../src/cli/completion/candidates.ts'
import { wordsOf } from '../../../src/cli/completion/scripts.ts'
import { createProgram } from '../../../src/cli/program.ts'
import { aTerminal } from '../../support/cli/terminal.ts'

function aProgram(): Command {
  const program = new Command('tool').option('-c, --config <file>')
  program
    .command('runs')
    .option('--job <name>')
    .option('--json')
    .addOption(new Option('--by <what>').choices(['job', 'code']))
  program.command('show <run>').option('--out <dir>').option('--note <text>')
  program.command('retry [run...]').option('-i, --input <pair...>')
  program.command('verify [file]')
  program.command('shell').addArgument(new Argument('<name>').choices(['bash', 'fish']))
  program.command('secret', { hidden: true })
  program.command('keys').command('rotate')
  return program
}
const NAMES = new Map([
  ['job', ['report', 'trend']],
  ['run', ['latest']],
])

test.for([
  [[], 'r', ['runs', 'retry'], false],
  [[], 'sec', [], false],
  [['-c', 'runs'], 'sh', ['show', 'shell'], false],
  [['--config=x'], 'ver', ['verify'], false],
  [['-c'], '', [], true],
  [['runs'], '-', ['--job', '--json', '--by', '--help', '-h', '--config', '-c'], false],
  [['runs', '--json', '--job'], 't', ['trend'], false],
  [['runs'], '--job=r', ['--job=report'], false],
  [['runs', '--by'], '', ['job', 'code'], false],
  [['runs', '--by', 'job'], '', [], false],
  [['runs', '--wrong'], '', [], false],
  [['show'], 'l', ['latest'], false],
  [['show', 'latest'], '', [], false],
  [['show', 'latest', '--out'], '', [], true],
  [['show', '--note'], '', [], false],
  [['retry', 'run_1', 'run_2'], '', ['latest'], false],
  [['retry', '--input', 'a=1'], '--i', ['--input'], false],
  [['retry', '--input', 'a=1', '--input'], 'l', [], false],
  [['verify'], '', [], true],
  [['shell'], 'f', ['fish'], false],
  [['keys'], 'r', ['rotate'], false],
  [['keys', 'rotate'], '', [], false],
] as const)('after %j and %j come %j, with files: %s', ([before, current, words, files]) => {
  const found = candidatesFor(aProgram(), before, current, (name) => NAMES.get(name))
  expect({ words: found.words.map(({ word }) => word), files: found.files }).toEqual({ words, files })
})

test('every command and option of the program is found by its beginning', async () => {
  const program = await createProgram([], aTerminal(), () => {})
  const found = (before: readonly string[], current: string) => candidatesFor(program, before, current, () => undefined).words
  const walk = (command: Command, path: readonly string[]): number => {
    const { commands, options } = command
    const visible = commands.filter((one) => command.createHelp().visibleCommands(command).includes(one))
    for (const one of visible) expect(found(path, one.name().slice(0, 2)).map(({ word }) => word)).toContain(one.name())
    for (const { long } of options) if (long !== undefined) expect(found(path, long.slice(0, 4)).map(({ word }) => word)).toContain(long)
    return visible.length + visible.reduce((sum, one) => sum + walk(one, [...path, one.name()]), 0)
  }
  expect(walk(program, [])).toBeGreaterThan(40)
})

test('what bash takes apart around a = is put together', () => {
  expect(wordsOf('bash', ['runs', '--job', '=', 'la'])).toEqual({ before: ['runs', '--job'], current: 'la' })
  expect(wordsOf('bash', ['runs', '--job', '='])).toEqual({ before: ['runs', '--job'], current: '' })
  expect(wordsOf('zsh', ['runs', '--job=la'])).toEqual({ before: ['runs'], current: '--job=la' })
  expect(wordsOf('bash', [])).toEqual({ before: [], current: '' })
})
