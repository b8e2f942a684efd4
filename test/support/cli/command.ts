import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { main } from '../../../src/cli/main.ts'
import { environment, type Environment } from '../../../src/config/environment.ts'
import { aTerminal } from './terminal.ts'

export const BIN = join(import.meta.dirname, '../../../src/cli/bin.js')

export interface Ended {
  code: number | null
  out: string
  err: string
}

export interface CommandOptions {
  columns?: number
  env?: Environment
  signal?: AbortSignal
  /** Is told each line on stdout as it comes. */
  onOut?: (text: string) => void
}

/** Runs a command line in this process, on a terminal that keeps what it is given. */
export async function command(args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const out: string[] = []
  const err: string[] = []
  const { onOut, ...given } = options
  const terminal = aTerminal({
    ...given,
    out: (line) => {
      out.push(line)
      onOut?.(line)
    },
    err: (line) => void err.push(line),
  })
  const code = await main(args, terminal)
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** The real program in a process of its own. */
export interface Program {
  child: ChildProcess
  /** All of stdout up to now. */
  out: () => string
  /** All of stderr up to now. */
  err: () => string
  /** Resolves when stdout holds the text; rejects when the program ends without it. */
  says: (what: string) => Promise<void>
  ended: Promise<Ended>
}

export function program(args: readonly string[], options: { node?: string; env?: Record<string, string>; bin?: string } = {}): Program {
  const child = spawn(options.node ?? process.execPath, [options.bin ?? BIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // What the tests themselves are told must not reach it. A build server sets CI, where a pipe stays without colours too.
    env: { ...environment, DATABASE_URL: '', REDIS_URL: '', FORCE_COLOR: undefined, NODE_OPTIONS: '', CI: 'true', ...options.env },
  })
  let out = ''
  const watchers = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
    for (const look of watchers) look()
  })
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => void (err += chunk))
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, out, err }))
  return {
    child,
    out: () => out,
    err: () => err,
    says: (what) =>
      new Promise((done, fail) => {
        const look = () => {
          if (!out.includes(what)) return
          watchers.delete(look)
          done()
        }
        watchers.add(look)
        look()
        void ended.then(() => fail(new Error(`it ended without "${what}": ${out}${err}`)))
      }),
    ended,
  }
}
