import { writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

// Loaded into a worker with --import=…/loop-probe.ts?file=PATH: SIGUSR2 writes the longest delay of its event loop since the last one.
const RESOLUTION_MS = 10
const file = new URL(import.meta.url).searchParams.get('file')
if (file !== null) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  process.on('SIGUSR2', () => {
    writeFileSync(file, JSON.stringify({ maxMs: Math.max(0, delay.max / 1e6 - RESOLUTION_MS) }))
    delay.reset()
  })
}
