// What the system says of a process. Linux has it in files, others have `ps`.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'

/** For `ps` to answer. */
const PS_MS = 5000

const ps = (pid: number, column: string) =>
  execFileSync('/bin/ps', ['-ww', '-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8', env: { LC_ALL: 'C' }, timeout: PS_MS }).trim()

/** When a process was started, as this system says it: process ids are given again, and a container gives the same at each start. */
export function startTimeOf(pid: number, platform: string = process.platform): string {
  if (platform === 'linux') return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? ''
  if (platform === 'win32') return ''
  return ps(pid, 'lstart')
}

/**
 * Whether a process is a Postgres on this directory, also when the directory was moved under it: it stands in its data. Where that cannot be seen, the directory of
 * its arguments has to be this one, or gone. Throws when there is no such process.
 */
export function isServerOn(pid: number, data: string, platform: string = process.platform): boolean {
  if (platform === 'win32') return true
  const given = dataOf(pid, platform)
  return given !== undefined && (standsIn(pid, data, platform) ?? (given === data || !existsSync(given)))
}

/** What the arguments of a process say after -D. */
function dataOf(pid: number, platform: string): string | undefined {
  if (platform !== 'linux') return / -D (.*?) -c /.exec(`${ps(pid, 'command')} -c `)?.[1]
  const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  return argv.includes('-D') ? argv[argv.indexOf('-D') + 1] : undefined
}

/** Undefined where it cannot be seen. */
function standsIn(pid: number, data: string, platform: string): boolean | undefined {
  if (platform !== 'linux') return undefined
  try {
    const [one, other] = [statSync(`/proc/${pid}/cwd`), statSync(data)]
    return one.dev === other.dev && one.ino === other.ino
  } catch {
    return undefined
  }
}

/** Asks a server to roll back what is open, and to end. One that has ended meanwhile, as its guard asked it too, is no error. */
export function endServer(pid: number): void {
  try {
    process.kill(pid, 'SIGINT')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
