import { chmod, mkdir, open, realpath, rename, rm } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { z } from 'zod'
import type { RunView } from '../../core/view.ts'
import { modesOf, readableBySchema, type ReadableBy } from '../../lib/files/readable-by.ts'
import { defineDestination } from './destination.ts'

/** A report as a file below `reportsDir`. */
export const file = defineDestination({
  jobSchema: z
    .string()
    .regex(/^(?!(.*\/)?\.\.(\/|$))[^/\\\p{Cc}][^\\\p{Cc}]*$/u, {
      error: ({ input }) =>
        String(input).startsWith('/')
          ? 'is a path from the root, and reports stand below reportsDir; write a path below it, such as weekly. To have all reports there, set reportsDir in the configuration'
          : 'must be a directory below reportsDir, without ..',
    })
    .describe('Directory below reportsDir of the configuration; the file in it is named after job, date and run.'),
  configShape: {
    reportsDir: z.string().default('../reports').describe('Where jobs with deliver: [{ file: … }] put their reports.'),
    reportsReadableBy: readableBySchema
      .default('owner')
      .describe('Who can read reports: owner alone (mode 0600), or also the group of the user that runs workers (0640).'),
  },
  resolvePaths: ({ reportsDir, reportsReadableBy }, path) => ({ reportsDir: path(reportsDir), reportsReadableBy }),
  targetSchema: z.object({ dir: z.string() }),
  targetOf: (dir) => ({ dir }),
  describe: ({ dir }) => `file ${dir}`,
  fault: () => undefined,
  open: ({ reportsDir, reportsReadableBy: readableBy }) => ({
    async send({ dir }, { id, run }) {
      if (!run) return { ok: false, error: 'only reports of runs are written to files', final: true }
      await writeReport({ reportsDir, dir, deliveryId: id, readableBy }, run)
      return { ok: true }
    },
    async close() {},
  }),
})

/** Where a report is written. */
export interface ReportPlace {
  reportsDir: string
  /** Below `reportsDir`. */
  dir: string
  /** Of the delivery: two that write the same report at once do not write into each other's file. */
  deliveryId: string
  readableBy: ReadableBy
}

/**
 * Writes a report as a file of its own, whole or not at all: `labor-report-2026-11-24T0700-019a2b3c.json`, or `.md` for a text. Doing it twice
 * replaces the same file. Nothing is written outside `reportsDir`, also where a link leads there. Returns its path.
 */
export async function writeReport({ reportsDir, dir, deliveryId, readableBy }: ReportPlace, run: RunView): Promise<string> {
  const at = (run.trigger.kind === 'schedule' ? run.trigger.fireAt : run.createdAt).slice(0, 16).replace(':', '')
  const text = run.output === null && run.status === 'succeeded'
  const name = `${run.job}-${at}-${run.id.replace(/^run_/, '').slice(-8)}.${text ? 'md' : 'json'}`
  const modes = modesOf(readableBy)
  const path = join(await openDir(reportsDir, dir, modes.dir), name)
  const part = `${path}.${deliveryId}.part`
  // Left by a try that crashed.
  await rm(part, { force: true })
  try {
    await using handle = await open(part, 'wx', 0o600)
    await handle.chmod(modes.file) // also where the umask is stricter
    await handle.writeFile(text ? `${textOf(run)}\n` : `${JSON.stringify(contentOf(run), null, 2)}\n`)
    await handle.sync()
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
  await rename(part, path)
  return path
}

/** Makes the directory, once its nearest existing parent was checked to lie below `reportsDir`. */
async function openDir(reportsDir: string, dir: string, mode: number): Promise<string> {
  await makeDir(reportsDir, mode)
  const root = await realpath(reportsDir)
  const wanted = resolve(root, dir)
  let there = wanted
  for (let found: string | undefined; found === undefined; there = found ?? dirname(there)) {
    found = await realpath(there).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT' && there !== dirname(there)) return undefined
      throw error
    })
  }
  for (const place of [wanted, there]) {
    const way = relative(root, place)
    if (way === '..' || way.startsWith(`..${sep}`)) throw new Error(`${dir} is not below reportsDir`)
  }
  await makeDir(wanted, mode)
  return wanted
}

/** Makes the directory and those above it. What is there already keeps its mode. */
async function makeDir(dir: string, mode: number): Promise<void> {
  const topmost = await mkdir(dir, { recursive: true, mode })
  if (topmost === undefined) return
  for (let made = resolve(dir); ; made = dirname(made)) {
    await chmod(made, mode)
    if (made === resolve(topmost) || made === dirname(made)) return
  }
}

const textOf = ({ outputText, ending }: RunView) => (ending?.kind === 'nothing-new' ? `Nothing new: ${ending.why}` : (outputText ?? ''))

/** A green report is its output; any other says first what it is. */
function contentOf({ id, job, status, reasons, output, outputText, ending }: RunView): unknown {
  return status === 'succeeded' && !ending ? output : { run: id, job, status, reasons, output, outputText, ...(ending && { ending }) }
}
