import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { messageOf } from '../../src/core/failure.ts'
import { startScriptedServer } from '../support/mcp/scripted-server.ts'
import type { Attack } from './attacks.ts'

const observedSchema = z.strictObject({
  outcome: z.string(),
  loopSeconds: z.number(),
  rssMb: z.number(),
  neighbour: z.strictObject({ good: z.number(), bad: z.number() }),
  canary: z.boolean(),
})

export interface Played {
  name: string
  expected: string
  observed: (z.output<typeof observedSchema> & { requests: number }) | { error: string }
  /** What is beyond a bound, or not as expected. */
  faults: string[]
}

const HEAP_MB = 512
/** Seconds of CPU that the loop may be kept busy, and most memory of the process. */
export const BOUNDS = { loopSeconds: 5, rssMb: 700, requests: 10 }
const TIMEOUT_MS = 120_000

/** Lets a process of its own meet one attack, beside a neighbour that is well. */
export async function play({ name, on, expected, requests = BOUNDS.requests }: Attack): Promise<Played> {
  await using hostile = await startScriptedServer(on)
  await using good = await startScriptedServer()
  try {
    const args = [`--max-old-space-size=${HEAP_MB}`, join(import.meta.dirname, 'probe.ts'), name, hostile.url, good.url]
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' })
    const seen = { ...observedSchema.parse(JSON.parse(stdout)), requests: hostile.seen.length }
    const faults = [
      ...(seen.outcome === expected ? [] : [`${seen.outcome} instead of ${expected}`]),
      ...(seen.loopSeconds <= BOUNDS.loopSeconds ? [] : [`the loop was busy for ${seen.loopSeconds.toFixed(1)} s`]),
      ...(seen.rssMb <= BOUNDS.rssMb ? [] : [`${seen.rssMb} MB`]),
      ...(seen.requests <= requests ? [] : [`${seen.requests} requests`]),
      ...(seen.neighbour.bad === 0 ? [] : [`${seen.neighbour.bad} calls of the neighbour failed`]),
      ...(seen.canary ? ['a secret was told or kept'] : []),
    ]
    return { name, expected, observed: seen, faults }
  } catch (error) {
    return { name, expected, observed: { error: messageOf(error).slice(0, 500) }, faults: ['the process did not live'] }
  }
}
