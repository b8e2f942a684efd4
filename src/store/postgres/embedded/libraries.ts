// The names of the shared libraries of Postgres. An npm package holds no links: it lists them, and its install script makes them, where scripts are run.
import { randomBytes } from 'node:crypto'
import { existsSync, lstatSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { z } from 'zod'

/** Paths from the root of the package. */
export interface LibraryLink {
  source: string
  target: string
}

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }))

export const linksOf = (root: string): LibraryLink[] =>
  linksSchema.parse(JSON.parse(readFileSync(join(root, 'native', 'pg-symlinks.json'), 'utf8')))

/** Relative, so that a directory that moves, or is copied, takes its links with it. */
const wayTo = ({ source, target }: LibraryLink) => relative(dirname(target), source)

/** Whether the name leads to the library beside it. A copy may hold the library itself under that name. */
function isRight(root: string, link: LibraryLink): boolean {
  const path = join(root, link.target)
  try {
    return (lstatSync(path).isSymbolicLink() ? readlinkSync(path) === wayTo(link) : true) && existsSync(path)
  } catch {
    return false
  }
}

/** Whether all names lead to libraries of this very directory. */
export const areRight = (root: string, links: readonly LibraryLink[]): boolean => links.every((link) => isRight(root, link))

/** Puts right each name that is missing or leads elsewhere, whatever another process does with the same one. Throws what the file system says. */
export function mendLinks(root: string, links: readonly LibraryLink[]): void {
  for (const link of links) {
    if (isRight(root, link)) continue
    const path = join(root, link.target)
    const aside = `${path}.${randomBytes(6).toString('hex')}`
    try {
      symlinkSync(wayTo(link), aside)
      renameSync(aside, path)
    } finally {
      rmSync(aside, { force: true })
    }
  }
}
