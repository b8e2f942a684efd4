import { spawnSync } from 'node:child_process'

const TIMEOUT_MS = 900_000
const MAX_BYTES = 64 * 1024 * 1024

export interface Ran {
  code: number
  out: string
  err: string
}

export interface RunOptions {
  cwd?: string
  input?: string
  timeoutMs?: number
}

/** Runs a program to its end, and returns what it said. */
export function run(command: string, args: readonly string[], { cwd, input, timeoutMs = TIMEOUT_MS }: RunOptions = {}): Ran {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: MAX_BYTES,
    timeout: timeoutMs,
    cwd,
    input,
  })
  return { code: status ?? -1, out: stdout ?? '', err: error ? `${error.message} ${stderr ?? ''}` : stderr }
}

/** The same; throws with its last words where its exit code is not 0. */
export function must(command: string, args: readonly string[], options: RunOptions = {}): string {
  const { code, out, err } = run(command, args, options)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${out.slice(-2000)}\n${err.slice(-4000)}`)
  return out
}

export const docker = (...args: string[]): string => must('docker', args)
