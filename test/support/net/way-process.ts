import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { startWayTo } from '../app/outage.ts'

/** A way to a server that is a process of its own: stopped (SIGSTOP), it is a server that is frozen. What it was sent meanwhile is there when it goes on. */
export interface WayProcess extends AsyncDisposable {
  url: string
  freeze(): void
  thaw(): void
}

/** Starts a way to a server of which the URL tells. */
export async function startWayProcess(target: string): Promise<WayProcess> {
  const child = spawn(process.execPath, [import.meta.filename, target], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const [url] = await once(createInterface({ input: child.stdout }), 'line')
  return {
    url: String(url),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

if (import.meta.main) {
  const way = await startWayTo(process.argv[2] ?? '')
  process.stdout.write(`${way.url}\n`)
}
