import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse, stringify } from 'yaml'
import { RENAMED } from '../../src/config/schema.ts'
import { isObject } from '../../src/lib/json/object.ts'

/** What a process of Nightshift is started with. */
export interface Program {
  command: string
  args: readonly string[]
  /** Beside the environment of this process. */
  env?: Readonly<Record<string, string>> | undefined
}

/** A program of the checkout in `root`, with a configuration. */
export const programOf = (root: string, configFile: string, part: string): Program => ({
  command: process.execPath,
  args: [join(root, 'src/cli/bin.js'), '-c', configFile, 'start', '--only', part],
})

/** Writes a configuration once more with other values at its top, and returns where. */
export function writeOther(configFile: string, other: Readonly<Record<string, unknown>>): string {
  const file = configFile.replace(/\.yaml$/, '.other.yaml')
  const whole: unknown = parse(readFileSync(configFile, 'utf8'))
  writeFileSync(file, stringify({ ...(isObject(whole) && whole), ...other }), { mode: 0o600 })
  return file
}

/** Writes a configuration once more as the release before spells its keys, and returns where. */
export function writeEarlier(configFile: string): string {
  const file = configFile.replace(/\.yaml$/, '.earlier.yaml')
  writeFileSync(file, stringify(respelled(parse(readFileSync(configFile, 'utf8')), [])), { mode: 0o600 })
  return file
}

const EARLIER = Object.entries(RENAMED).map(([path, now]) => {
  const parts = path.split('.')
  return { above: parts.slice(0, -1), earlier: parts.at(-1) ?? '', now }
})

function respelled(value: unknown, path: readonly string[]): unknown {
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [spellingOf(key, path), respelled(inner, [...path, key])]))
}

const spellingOf = (key: string, path: readonly string[]) =>
  EARLIER.find(
    ({ above, now }) => now === key && above.length === path.length && above.every((part, i) => part === '*' || part === path[i]),
  )?.earlier ?? key

/** The last commit of the release before this one: it is replaced, and does not come back, since its programs do not begin on a later store. */
export const RELEASE = '49e823419c3a1f421a0a870d00e687e18a1d8b1a'
/** The first commit whose programs begin on a later store, forward and back (docs/decisions/0023), and put retries off by the store's clock. */
export const TAKEN_BACK = '368025933c46aa54f7872c323c5ca8b9adc14eb7'
/** What is in use while this version is made: it is upgraded from, and gone back to. */
export const IN_USE = 'b96f20d0193e2eb38f069ddd23c4d828a6f10e18'
const ROOT = join(import.meta.dirname, '../..')

/** Packages that a release has and this one has not: they are for pages that nobody asks for here. With the names that are imported of them. */
const GONE: Readonly<Record<string, readonly string[]>> = {
  '@bull-board/api/index.js': ['createBullBoard'],
  '@bull-board/api/bullMQAdapter.js': ['BullMQAdapter'],
  '@bull-board/hono/index.js': ['HonoAdapter'],
}

/** The libraries of now, and in the place of those that are gone what can be imported and does nothing. */
function linkLibraries(root: string): void {
  const [from, to] = [join(ROOT, 'node_modules'), join(root, 'node_modules')]
  mkdirSync(to)
  for (const name of readdirSync(from)) symlinkSync(join(from, name), join(to, name))
  for (const [file, names] of Object.entries(GONE)) {
    const dir = dirname(join(to, file))
    mkdirSync(dir, { recursive: true })
    writeFileSync(join(to, file), names.map((name) => `export class ${name} {}\n`).join(''))
    writeFileSync(join(dir, 'package.json'), JSON.stringify({ type: 'module', exports: { '.': './index.js', './*': './*.js' } }))
  }
}

/** Unpacks what was at a commit into `dir`, with the libraries of now. Undefined where the history does not reach back to it. */
export function unpackRelease(dir: string, commit: string): string | undefined {
  const git = (...args: string[]) => spawnSync('git', args, { cwd: ROOT }).status === 0
  if (!git('cat-file', '-e', `${commit}^{commit}`)) return undefined
  const archive = join(dir, 'release.tar')
  if (!git('archive', '--output', archive, commit, 'src', 'package.json')) return undefined
  const root = join(dir, 'release')
  mkdirSync(root)
  if (spawnSync('tar', ['-xf', archive, '-C', root]).status !== 0) return undefined
  linkLibraries(root)
  return root
}
