import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { exportRun } from '../../src/audit/evidence/files.ts'
import { messageOf } from '../../src/core/failure.ts'
import type { RunView } from '../../src/core/view.ts'
import { dumpDatabase } from '../support/database/dump.ts'
import type { Attack } from './attack.ts'
import { NEIGHBOUR, type Place } from './place.ts'

/** What one attack cost, and what came of it. */
export interface Observed {
  outcome: string
  /** CPU of the event loop's thread while the attack was played, neighbours included. */
  loopSeconds: number
  /** Longest time that the loop did not turn. */
  loopMaxMs: number
  /** Most memory. */
  rssMb: number
  /** That reached the hostile server. */
  requests: number
  /** Calls of its tool, which may not be repeated. */
  effects: number
  neighbour: { green: number; bad: string[] }
  /** Where a secret was found that was given away. */
  canaryIn: string[]
}

export interface Played {
  name: string
  expected: string
  observed: Observed | { error: string }
  /** What is beyond a bound, or not as expected. */
  faults: string[]
}

/** Most that an attack may cost. */
export const BOUNDS = { loopSeconds: 5, loopMaxMs: 5000, rssMb: 700, requests: 10, effects: 1 }
const BETWEEN_MS = 500

/** Plays an attack on the worker, beside runs of a job that is well. A worker that died is a fault, and is replaced. */
export async function play(place: Place, attack: Attack): Promise<Played> {
  const { name, expected } = attack
  try {
    const observed = await observe(place, attack)
    return { name, expected, observed, faults: faultsOf(observed, attack) }
  } catch (error) {
    const died = await place.revive()
    const why = messageOf(error).slice(-500)
    return { name, expected, observed: { error: why }, faults: [died ? 'the worker did not live' : why] }
  }
}

function faultsOf(seen: Observed, { expected, requests = BOUNDS.requests }: Attack): string[] {
  return [
    ...(seen.outcome === expected ? [] : [`${seen.outcome} instead of ${expected}`]),
    ...(seen.loopSeconds <= BOUNDS.loopSeconds ? [] : [`the loop worked for ${seen.loopSeconds.toFixed(1)} s`]),
    ...(seen.loopMaxMs <= BOUNDS.loopMaxMs ? [] : [`the loop was blocked for ${Math.round(seen.loopMaxMs)} ms`]),
    ...(seen.rssMb <= BOUNDS.rssMb ? [] : [`${Math.round(seen.rssMb)} MB`]),
    ...(seen.requests <= requests ? [] : [`${seen.requests} requests`]),
    ...(seen.effects <= BOUNDS.effects ? [] : [`${seen.effects} calls of what may not be repeated`]),
    ...(seen.neighbour.bad.length === 0 && seen.neighbour.green > 0 ? [] : [`neighbours: ${JSON.stringify(seen.neighbour)}`]),
    ...seen.canaryIn.map((where) => `a secret in ${where}`),
  ]
}

async function observe(place: Place, attack: Attack): Promise<Observed> {
  const worker = place.worker()
  await worker.loopMaxMs()
  worker.forgetPeak()
  const before = worker.loopCpuMs()
  const ending = new AbortController()
  const met = attack.jobFile === undefined ? meet(place, attack) : read(place, attack, attack.jobFile)
  const [outcome, neighbour] = await Promise.all([met.finally(() => ending.abort()), live(place, ending.signal)])
  const loopMaxMs = await worker.loopMaxMs()
  const { seen } = place.serverOf(attack)
  return {
    outcome,
    loopSeconds: (worker.loopCpuMs() - before) / 1000,
    loopMaxMs,
    rssMb: worker.peakMb(),
    requests: seen.length,
    effects: seen.filter(({ kind }) => kind === 'tools/call').length,
    neighbour,
    canaryIn: await findCanaries(place),
  }
}

/** Runs of a job that is well, one after the other: one at least begins and ends beside the attack. */
async function live(place: Place, signal: AbortSignal): Promise<Observed['neighbour']> {
  const neighbour: Observed['neighbour'] = { green: 0, bad: [] }
  do {
    const run = await place.run(NEIGHBOUR)
    if (run.status === 'succeeded') neighbour.green++
    else neighbour.bad.push(`${outcomeOf(run)}: ${run.failure?.message ?? ''}`)
    await sleep(BETWEEN_MS)
  } while (!signal.aborted)
  return neighbour
}

/** One run; what is kept of it can be exported. */
async function meet(place: Place, attack: Attack): Promise<string> {
  const view = await place.run(place.jobOf(attack))
  await exportRun(place.app.db, view, place.config.evidence.keyFile)
  return outcomeOf(view)
}

function outcomeOf({ status, failure, reasons }: RunView): string {
  const code = failure?.code ?? reasons[0]?.code
  return code === undefined ? status : `${status} ${code}`
}

/** Puts a file among the jobs, until the worker has said that it is none. */
async function read(place: Place, attack: Attack, text: string): Promise<string> {
  const name = `${place.jobOf(attack)}-too.yaml`
  const file = join(place.jobsDir, name)
  const worker = place.worker()
  const said = worker.said().length
  writeFileSync(file, text)
  try {
    worker.signal('SIGHUP')
    while (!worker.said().slice(said).includes(name)) {
      worker.check()
      await sleep(BETWEEN_MS)
    }
    return 'refused'
  } finally {
    rmSync(file)
    worker.signal('SIGHUP')
  }
}

/** Everything that is kept, told or sent on. */
async function findCanaries(place: Place): Promise<string[]> {
  const { app, world, modelBodies, reportsDir, canaries } = place
  const reports = globSync('**/*.{json,md}', { cwd: reportsDir }).map((name) => readFileSync(join(reportsDir, name), 'utf8'))
  const places = {
    'the store': await dumpDatabase(app.db),
    'the log': place.worker().said(),
    'a request to a model': JSON.stringify(world.model.requests) + modelBodies.join('\n'),
    'a report': reports.join('\n'),
  }
  return Object.entries(places).flatMap(([where, text]) => (canaries.some((canary) => text.includes(canary)) ? [where] : []))
}
