import { chmodSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { Failure } from '../core/failure.ts'

/** Throws `COMMAND_INVALID` when there is a token in the file already. */
export function requireFreeFile(file: string, account: string): void {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0)
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `There is a token in ${file} already.`,
      cure: `Replace it with nightshift account rotate ${account}, or name another file with --out.`,
    })
}

/** Puts a token in place of what was there, atomically, and for its owner alone; a file that was there keeps its mode, so that a worker of another user can go on reading it. */
export function writeToken(file: string, jwt: string): void {
  const part = `${file}.${process.pid}.part`
  try {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode
    writeFileSync(part, `${jwt}\n`, { mode: 0o600, flag: 'wx' })
    if (mode !== undefined) chmodSync(part, mode & 0o777)
    renameSync(part, file)
  } finally {
    rmSync(part, { force: true })
  }
}
