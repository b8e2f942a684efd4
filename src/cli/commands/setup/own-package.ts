// How a repository of one's own gets this package: it is taken from where this command came from, and from no registry that it was not installed from.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { Failure, messageOf } from '../../../core/failure.ts'
import { parseJson } from '../../../lib/json/parse.ts'
import { VERSION } from '../../../lib/version.ts'

export const ROOT = join(import.meta.dirname, '../../../..')
const NAME = 'nightshift'
const PACK_MS = 300_000

const manifestSchema = z.looseObject({
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
})

/** The dependency for a package.json in that directory; puts the package beside it where it does not come from a registry. Throws `COMMAND_INVALID` when a checkout cannot be packed. */
export function dependencyFor(target: string): { spec: string; file: string | undefined } {
  const holder = holderOf(ROOT)
  if (holder === undefined) return besides(pack(target))
  const spec = specIn(join(holder, 'package.json'))
  if (spec === undefined) return { spec: VERSION, file: undefined }
  if (!spec.startsWith('file:')) return { spec, file: undefined }
  const tarball = resolve(holder, spec.slice('file:'.length))
  if (!tarball.endsWith('.tgz') || !existsSync(tarball)) return { spec: `file:${tarball}`, file: undefined }
  const file = join(target, basename(tarball))
  if (resolve(file) !== tarball) copyFileSync(tarball, file)
  return besides(file)
}

const besides = (file: string) => ({ spec: `file:${basename(file)}`, file: basename(file) })

/** The directory in whose node_modules a package is; undefined for a checkout. */
function holderOf(root: string): string | undefined {
  return basename(dirname(root)) === 'node_modules' ? dirname(dirname(root)) : undefined
}

function specIn(file: string): string | undefined {
  if (!existsSync(file)) return undefined
  const { dependencies, devDependencies } = manifestSchema.parse(parseJson(readFileSync(file, 'utf8')))
  return dependencies[NAME] ?? devDependencies[NAME]
}

/** Packs this checkout into a directory. */
function pack(target: string): string {
  try {
    execFileSync('npm', ['pack', '--silent', '--pack-destination', resolve(target)], { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'], timeout: PACK_MS }) // prettier-ignore
  } catch (cause) {
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The checkout ${ROOT} cannot be packed: ${messageOf(cause)}.`,
      cure: `Run npm ci in it, and then nightshift init again.`,
      cause,
    })
  }
  return join(target, `${NAME}-${VERSION}.tgz`)
}
