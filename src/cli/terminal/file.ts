import { accessSync, closeSync, constants, existsSync, fchmodSync, fstatSync, openSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Failure, messageOf } from '../../core/failure.ts'

const unwritable = (file: string, cause: unknown) =>
  new Failure({
    code: 'COMMAND_INVALID',
    message: `The file ${file} cannot be written: ${messageOf(cause)}.`,
    cure: 'Make its directory, give yourself the right to write there, or name another file.',
    cause,
  })

/** Throws `COMMAND_INVALID` when a file could not be written: before work whose result is to go there, and would be lost. */
export function requireWritable(file: string): void {
  try {
    const found = existsSync(file) ? statSync(file) : undefined
    if (found?.isDirectory()) throw new Error('it is a directory')
    // Its mode is its owner's to set.
    const user = process.geteuid?.()
    if (found?.isFile() && user !== undefined && user !== 0 && found.uid !== user) throw new Error('it belongs to another user')
    accessSync(found ? file : dirname(file), constants.W_OK)
  } catch (cause) {
    throw unwritable(file, cause)
  }
}

/** Writes a file that a person named, with this mode whatever the umask is and whatever mode it had. `COMMAND_INVALID` when it cannot be written. */
export function writeNamed(file: string, content: string | Buffer, mode: number): void {
  try {
    const handle = openSync(file, 'w', mode)
    try {
      // Before the first byte. A pipe or a terminal keeps the mode that it has.
      if (fstatSync(handle).isFile()) fchmodSync(handle, mode)
      writeFileSync(handle, content)
    } finally {
      closeSync(handle)
    }
  } catch (cause) {
    throw unwritable(file, cause)
  }
}
