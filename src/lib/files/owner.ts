import { chownSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** What root has made in a directory of another user is that user's: the process that reads it is not root. */
export function giveToOwnerOfDirectory(file: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(dirname(file))
  if (uid !== 0) chownSync(file, uid, gid)
}
