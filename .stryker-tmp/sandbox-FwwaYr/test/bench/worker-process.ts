// @ts-nocheck
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'

const BIN = join(import.meta.dirname, '../../dist/cli/bin.js')
const PROBE = pathToFileURL(join(import.meta.dirname, 'probe.ts')).href
const TICK_MS = 10
const END_MS = 20_000
const LOOK_MS = 10
const delaySchema = z.object({ maxMs: z.number() })

/** `nightshift start --only worker`, built as for the package and the image, as a process of its own, measured from outside through /proc (Linux). */
export interface WorkerProcess extends AsyncDisposable {
  /** User and system time so far. */
  cpuMs(): number
  /** Most memory so far. */
  peakMb(): number
  /** Longest delay of the event loop since this was last asked. Not before the first run has ended. */
  loopMaxMs(): Promise<number>
  /** Throws when it has ended by itself. */
  check(): void
}

export function startWorkerProcess({ configFile, dir }: { configFile: string; dir: string }): WorkerProcess {
  const logFile = join(dir, 'worker.log')
  const delayFile = join(dir, 'delay.json')
  const log = openSync(logFile, 'a')
  const child = spawn(process.execPath, [`--import=${PROBE}?file=${delayFile}`, BIN, '-c', configFile, 'start', '--only', 'worker'], {
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const ended = once(child, 'exit')
  const check = () => {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the worker ended by itself:\n${readFileSync(logFile, 'utf8').slice(-2000)}`)
  }
  const read = (file: string) => {
    check()
    return readFileSync(`/proc/${child.pid}/${file}`, 'utf8')
  }
  return {
    check,
    cpuMs() {
      const stat = read('stat')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return (Number(fields[11]) + Number(fields[12])) * TICK_MS
    },
    peakMb: () => Number(/VmHWM:\s+(\d+)/.exec(read('status'))?.[1]) / 1024,
    async loopMaxMs() {
      rmSync(delayFile, { force: true })
      child.kill('SIGUSR2')
      for (;;) {
        check()
        await sleep(LOOK_MS)
        try {
          return delaySchema.parse(JSON.parse(readFileSync(delayFile, 'utf8'))).maxMs
        } catch {
          // Not written, or not to its end.
        }
      }
    },
    async [Symbol.asyncDispose]() {
      const timer = setTimeout(() => child.kill('SIGKILL'), END_MS)
      child.kill('SIGTERM')
      await ended
      clearTimeout(timer)
    },
  }
}
