import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'

/** The program as the package and the image have it. */
export const BUILT = join(import.meta.dirname, '../../../dist/cli/bin.js')
const PROBE = pathToFileURL(join(import.meta.dirname, 'loop-probe.ts')).href
const TICK_MS = 10
const END_MS = 20_000
const LOOK_MS = 10
const delaySchema = z.object({ maxMs: z.number() })

/** `nightshift start --only worker` as a process of its own, measured from outside through /proc (Linux). */
export interface MeasuredWorker extends AsyncDisposable {
  /** User and system time of all its threads so far. */
  cpuMs(): number
  /** The same of its main thread, which is its event loop and what is collected beside it. */
  loopCpuMs(): number
  /** Most memory since the last `forgetPeak`, or since its start. */
  peakMb(): number
  forgetPeak(): void
  /** Longest delay of the event loop since this was last asked. Not before the first run has ended. */
  loopMaxMs(): Promise<number>
  /** All that it wrote so far, on both streams. */
  said(): string
  lives(): boolean
  /** Throws when it has ended by itself. */
  check(): void
  signal(name: NodeJS.Signals): void
}

export interface MeasuredWorkerOptions {
  /** Its bin.js. */
  program: string
  configFile: string
  /** For its log. */
  dir: string
  /** Options of Node. */
  nodeOptions?: readonly string[]
}

export function startMeasuredWorker({ program, configFile, dir, nodeOptions = [] }: MeasuredWorkerOptions): MeasuredWorker {
  const logFile = join(dir, 'worker.log')
  const delayFile = join(dir, 'delay.json')
  const log = openSync(logFile, 'a')
  const args = [...nodeOptions, `--import=${PROBE}?file=${delayFile}`, program, '-c', configFile, 'start', '--only', 'worker']
  const child = spawn(process.execPath, args, { stdio: ['ignore', log, log] })
  closeSync(log)
  const ended = once(child, 'exit')
  const lives = () => child.exitCode === null && child.signalCode === null
  const check = () => {
    if (!lives()) throw new Error(`the worker ended by itself:\n${readFileSync(logFile, 'utf8').slice(-2000)}`)
  }
  const read = (file: string) => {
    check()
    return readFileSync(`/proc/${child.pid}/${file}`, 'utf8')
  }
  const cpuMsOf = (file: string) => {
    const stat = read(file)
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS
  }
  return {
    lives,
    check,
    said: () => readFileSync(logFile, 'utf8'),
    signal: (name) => void child.kill(name),
    cpuMs: () => cpuMsOf('stat'),
    loopCpuMs: () => cpuMsOf(`task/${child.pid}/stat`),
    forgetPeak: () => writeFileSync(`/proc/${child.pid}/clear_refs`, '5'),
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
