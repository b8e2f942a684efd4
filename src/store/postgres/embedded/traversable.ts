import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { digestOf } from '../../../lib/hash/digest.ts'

/** Where what `nobody` must reach is kept, when the place given is inside a directory that only root can enter. */
export const SHARED = '/var/lib/nightshift'

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
export function openToAll(dir: string): void {
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue
    const path = join(entry.parentPath, entry.name)
    const { mode } = statSync(path)
    chmodSync(path, (mode & 0o7777) | (mode & 0o100 ? 0o055 : 0o044))
  }
}
