import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { environment } from '../../src/config/environment.ts'
import { freezeFamily } from '../support/net/freeze.ts'
import type { Program } from './release.ts'

const AGAIN_MS = 100
const END_MS = 20_000
const START_MS = 60_000
/** So many characters of its log are told of one that does not come up. */
const TOLD = 2000

export interface VictimOptions extends Program {
  name: string
  logFile: string
  /** Resolves when it answers; rejects while it does not yet. Is given what it has logged since it was started. */
  ready: (logged: () => string) => Promise<unknown>
  /** Starts it again when it has ended by itself. */
  respawn?: boolean
  /** What ends it in good order. */
  endSignal?: NodeJS.Signals
  user?: { uid: number; gid: number } | undefined
  cwd?: string
  say: (line: string) => void
}

/** A process that is killed at any moment, and started again as it was. */
export interface Victim extends AsyncDisposable {
  name: string
  /** kill -9, and `downMs` later a new one, of another program if one is given. Resolves when that one answers. */
  kill(downMs: number, next?: Program): Promise<void>
  /** Stops it where it is (SIGSTOP), with all that it started. Returns what lets it go on. */
  freeze(): () => void
}

/** A part of Nightshift as a process of its own that comes back whenever it ends. Resolves when it is at work. */
export const startPart = ({
  name,
  program,
  dir,
  say,
}: {
  name: string
  program: Program
  dir: string
  say: (line: string) => void
}): Promise<Victim> =>
  startVictim({
    name,
    ...program,
    logFile: join(dir, `${name}.log`),
    respawn: true,
    say,
    async ready(logged) {
      if (!logged().includes('Nightshift is at work')) throw new Error('it is still being started')
    },
  })

export async function startVictim(options: VictimOptions): Promise<Victim> {
  const { name, logFile, ready, user, cwd, say } = options
  let { command, args, env }: Program = options
  let child: ChildProcess
  let ending = false
  let killing = false

  let logged = 0

  function start(): void {
    const log = openSync(logFile, 'a')
    logged = readFileSync(logFile).length
    child = spawn(command, args, {
      stdio: ['ignore', log, log],
      env: { ...environment, ...env },
      ...user,
      ...(cwd !== undefined && { cwd }),
    })
    closeSync(log)
    child.once('exit', (code, signal) => {
      if (ending || killing) return
      if (options.respawn !== true) return say(`${name} ended by itself: ${signal ?? code}.`)
      say(`${name} ended by itself (${signal ?? code}) and is started again.`)
      setTimeout(() => {
        if (!ending && !killing) start()
      }, AGAIN_MS)
    })
  }

  const over = () => child.exitCode !== null || child.signalCode !== null

  async function answers(): Promise<void> {
    const until = performance.now() + START_MS
    for (;;) {
      // After a hard kill the first start can fail, since what the old one held is not let go yet.
      if (over() && options.respawn !== true) start()
      const saidNow = () => readFileSync(logFile).subarray(logged).toString()
      try {
        return void (await ready(saidNow))
      } catch (error) {
        if (performance.now() > until)
          throw new Error(`${name} did not come up in ${START_MS / 1000} s; its last words: ${saidNow().slice(-TOLD)}`, { cause: error })
        await sleep(AGAIN_MS)
      }
    }
  }

  start()
  await answers()
  return {
    name,
    async kill(downMs, next) {
      killing = true
      const exited = over() ? undefined : once(child, 'exit')
      child.kill('SIGKILL')
      await exited
      await sleep(downMs)
      killing = false
      if (ending) return
      if (next) ({ command, args, env } = next)
      start()
      await answers()
    },
    freeze: () => freezeFamily(child.pid),
    async [Symbol.asyncDispose]() {
      ending = true
      if (over()) return
      const exited = once(child, 'exit')
      const timer = setTimeout(() => child.kill('SIGKILL'), END_MS)
      child.kill(options.endSignal ?? 'SIGTERM')
      await exited
      clearTimeout(timer)
    },
  }
}
