// A checkout as somebody has it on another machine: sources and packages, and nothing of this one's.
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { environment } from '../../src/config/environment.ts'

const ROOT = join(import.meta.dirname, '../..')
/** The registry may be slow. */
const INSTALL_MS = 300_000
const PARTS = ['package.json', 'package-lock.json', '.npmrc', 'src', 'jobs', 'config']

const exec = promisify(execFile)

/** Copies the checkout. */
export function copySources(dir: string): void {
  mkdirSync(dir, { recursive: true })
  for (const part of PARTS) cpSync(join(ROOT, part), join(dir, part), { recursive: true })
}

/** Installs what the program needs on the platform that is named, without the scripts of packages: they could not run for another one. */
export async function install(dir: string, platform: { os: string; cpu: string }): Promise<void> {
  const given = Object.entries(environment).filter(([name]) => !/^(npm_|VITEST|NODE_ENV|NODE_OPTIONS)/i.test(name))
  const path = (environment['PATH'] ?? '').split(delimiter).filter((one) => !one.includes('node_modules'))
  await exec(
    'npm',
    ['ci', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--prefer-offline', `--os=${platform.os}`, `--cpu=${platform.cpu}`],
    { cwd: dir, timeout: INSTALL_MS, env: { ...Object.fromEntries(given), PATH: [...path, dirname(process.execPath)].join(delimiter) } },
  )
}
