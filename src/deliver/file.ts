import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunView } from '../core/view.ts'

/**
 * Writes a report as a file of its own, whole or not at all: `labor-report-2026-11-24T0700-019a2b3c.json`, or `.md` for a text. Doing it twice
 * replaces the same file. Returns its path.
 */
export async function writeReport(dir: string, run: RunView): Promise<string> {
  const at = (run.trigger.kind === 'schedule' ? run.trigger.fireAt : run.createdAt).slice(0, 16).replace(':', '')
  const text = run.output === null && run.status === 'succeeded'
  const name = `${run.job}-${at}-${run.id.replace(/^run_/, '').slice(-8)}.${text ? 'md' : 'json'}`
  const path = join(dir, name)
  const part = `${path}.part`
  await mkdir(dir, { recursive: true })
  try {
    await using file = await open(part, 'w', 0o644)
    await file.writeFile(text ? `${run.outputText ?? ''}\n` : `${JSON.stringify(contentOf(run), null, 2)}\n`)
    await file.sync()
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
  await rename(part, path)
  return path
}

/** A green report is its output; any other says first that it is not green. */
function contentOf({ id, job, status, reasons, output, outputText }: RunView): unknown {
  return status === 'succeeded' ? output : { run: id, job, status, reasons, output, outputText }
}
