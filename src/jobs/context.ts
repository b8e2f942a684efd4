import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { messageOf } from '../core/failure.ts'
import { sizeText } from '../lib/text.ts'
import type { Fault } from './faults/fault.ts'
import type { ContextEntry } from './sections/context.ts'

const MAX_BYTES = 65_536

/** Puts the text of each file that a job names under `context` into it; what is wrong with one is a fault. */
export function fillContext(jobFile: string, entries: readonly ContextEntry[]): { context: ContextEntry[]; faults: Fault[] } {
  const faults: Fault[] = []
  const context = entries.map((entry, at) => {
    if (entry.file === undefined) return entry
    try {
      return { ...entry, text: readContextFile(dirname(jobFile), entry.file) }
    } catch (error) {
      faults.push({ path: ['context', String(at), 'file'], message: messageOf(error) })
      return entry
    }
  })
  return { context, faults }
}

/** Throws an `Error` that says what is wrong with the file. */
function readContextFile(dir: string, file: string): string {
  if (!existsSync(join(dir, file)))
    throw new Error(`is ${file}, which is not there; correct the name, or put it beside the job file, or below its folder`)
  const path = realPath(join(dir, file))
  if (!path.startsWith(realpathSync(dir) + sep)) throw new Error(`is ${file}, which is not below the folder of the job file; move it there`)
  const stat = statSync(path)
  if (!stat.isFile()) throw new Error(`is ${file}, which is not a file`)
  if (stat.size > MAX_BYTES)
    throw new Error(`is ${file} with ${sizeText(stat.size)}; the model reads all of it, so at most ${sizeText(MAX_BYTES)} are taken`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)).trim()
  } catch (cause) {
    throw new Error(`is ${file}, which is not UTF-8 text`, { cause })
  }
}

/** Where a file is, whatever links lead to it. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    throw new Error(`cannot be read: ${messageOf(error)}`, { cause: error })
  }
}
