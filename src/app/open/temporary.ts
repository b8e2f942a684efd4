import { chmodSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure, messageOf } from '../../core/failure.ts'

/**
 * Makes a directory that is the caller's to remove. Others may enter it: as root, the embedded Postgres runs as another user, and files with secrets in it have
 * mode 0600. `CONFIG_INVALID` when the system's place for such directories cannot be used.
 */
export function makeTemporary(name: string): string {
  const place = tmpdir()
  try {
    const dir = mkdtempSync(join(place, `nightshift-${name}-`))
    chmodSync(dir, 0o711)
    return dir
  } catch (cause) {
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `No directory can be made in ${place}, the place for temporary files: ${messageOf(cause)}.`,
      cure: `Set TMPDIR to a directory that is there and that this user may write to, or take TMPDIR out.`,
      cause,
    })
  }
}
