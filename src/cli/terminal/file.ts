import { accessSync, constants, existsSync, statSync, writeFileSync } from 'node:fs'
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
    const isThere = existsSync(file)
    if (isThere && statSync(file).isDirectory()) throw new Error('it is a directory')
    accessSync(isThere ? file : dirname(file), constants.W_OK)
  } catch (cause) {
    throw unwritable(file, cause)
  }
}

/** Writes a file that a person named, for its owner alone unless another mode is given. `COMMAND_INVALID` when it cannot be written. */
export function writeNamed(file: string, text: string, mode = 0o600): void {
  try {
    writeFileSync(file, text, { mode })
  } catch (cause) {
    throw unwritable(file, cause)
  }
}
