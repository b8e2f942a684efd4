import { readdirSync, readFileSync } from 'node:fs'

/** The process and those that it started, itself first. */
function familyOf(pid: number): number[] {
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
  return [pid, ...children.flatMap((child) => familyOf(Number(child)))]
}

/** Undefined for a process that has ended meanwhile. */
function parentOf(pid: string): number | undefined {
  try {
    // Behind the name, which may hold anything: state and parent.
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1])
  } catch {
    return undefined
  }
}

/** Stops a process (SIGSTOP) with those that it started, as the sessions of a Postgres are. Returns what lets them go on. */
export function freezeFamily(pid: number | undefined): () => void {
  if (pid === undefined) return () => {}
  // The parent first: it starts no further ones then.
  signal([pid], 'SIGSTOP')
  return freezeAll(familyOf(pid))
}

/** Stops processes (SIGSTOP). Returns what lets them go on. */
export function freezeAll(pids: readonly number[]): () => void {
  signal(pids, 'SIGSTOP')
  return () => signal(pids.toReversed(), 'SIGCONT')
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids)
    try {
      process.kill(pid, name)
    } catch {
      // It has ended.
    }
}
