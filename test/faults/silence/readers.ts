import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { query } from '../../../src/store/postgres/db.ts'
import { LARGE_JOB, startReplicas } from './replicas.ts'

/** Clients of the API that ask and do not read. */
export interface ReadersOutcome {
  /** Until the last of their connections was closed. Undefined: one was kept. */
  closedMs: number | undefined
  /** Requests of others that were not answered meanwhile, and the slowest answer. */
  unanswered: number
  slowestMs: number
}

const CLIENTS = 12
const ASK_MS = 250
const ANSWER_MS = 10_000

/** Twelve clients ask for a large run, or for its events, and read nothing for as long as `patienceMs`, while another one asks and reads. */
export async function playReaders(patienceMs: number): Promise<ReadersOutcome> {
  await using bed = await startReplicas()
  const [replica] = bed.replicas
  if (!replica) throw new Error('there is no replica')
  const id = await bed.askFor(LARGE_JOB)
  for (let rows: unknown[] = []; rows.length === 0; await sleep(ASK_MS))
    rows = await query(bed.db, 'select 1 from runs where id = $1 and output_text is not null', [id])

  const began = performance.now()
  const { hostname, port } = new URL(replica.url)
  const closed = Array.from({ length: CLIENTS }, async (_, i) => {
    const socket = connect(Number(port), hostname).on('error', () => {})
    await once(socket, 'connect')
    socket.pause()
    socket.write(
      `GET /v1/runs/${id}${i % 2 === 0 ? '' : '/events'} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${bed.token}\r\n\r\n`,
    )
    const isKept = await keeps(Number(port), socket.localPort ?? 0, began + patienceMs)
    socket.destroy()
    return isKept ? undefined : performance.now() - began
  })
  const over = new AbortController()
  const others = askOthers(`${replica.url}/v1/runs?limit=1`, { authorization: `Bearer ${bed.token}` }, over.signal)
  const ends = await Promise.all(closed)
  over.abort()
  const kept = ends.some((ms) => ms === undefined)
  return { closedMs: kept ? undefined : Math.max(...ends.map(Number)), ...(await others) }
}

/** True when the server still has its end of the connection at that time. Whoever does not read is told nothing of its end. */
async function keeps(port: number, clientPort: number, until: number): Promise<boolean> {
  const hex = (one: number) => one.toString(16).toUpperCase().padStart(4, '0')
  // Local and remote address, and the state: 01 is ESTABLISHED.
  const open = new RegExp(`:${hex(port)} [0-9A-F]{8}:${hex(clientPort)} 01`)
  while (open.test(readFileSync('/proc/net/tcp', 'utf8'))) {
    if (performance.now() > until) return true
    await sleep(ASK_MS)
  }
  return false
}

async function askOthers(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Pick<ReadersOutcome, 'unanswered' | 'slowestMs'>> {
  let unanswered = 0
  let slowestMs = 0
  while (!signal.aborted) {
    const asked = performance.now()
    const isOk = await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_MS) }).then(
      async (answer) => (await answer.text(), answer.ok),
      () => false,
    )
    if (!isOk) unanswered++
    slowestMs = Math.max(slowestMs, performance.now() - asked)
    await sleep(ASK_MS)
  }
  return { unanswered, slowestMs }
}
