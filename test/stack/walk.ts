import { randomUUID } from 'node:crypto'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { docker, must } from './docker.ts'
import { lookAtManifests } from './kubernetes.ts'
import { firstSteps, JOB, makeKey, REPORTS, type Project } from './project.ts'

const ROOT = join(import.meta.dirname, '../..')
const UP_MS = 180_000
const LOOK_MS = 1000
/** So much of a run's id is in the name of its report. */
const SHORT = 8
/** Exit codes of a container that was asked to end: of its own accord, or by the signal it was sent. */
const ENDED = [0, 143]

const stateSchema = z.object({
  State: z.object({ Status: z.string(), ExitCode: z.int(), Health: z.object({ Status: z.string() }).optional() }),
  RestartCount: z.int(),
})
const statusSchema = z.object({
  duties: z.array(z.looseObject({ duty: z.string(), succeededAt: z.string().nullable() })),
})
const runsSchema = z.array(z.object({ id: z.string(), status: z.string() }))
const runSchema = z.object({ id: z.string(), status: z.string() })

const inspect = (container: string) => {
  const [found] = z.array(stateSchema).parse(JSON.parse(docker('inspect', container)))
  if (!found) throw new Error(`there is no container ${container}`)
  return found
}

export interface Walk {
  /** From an earlier commit: what comes up with its image and its files, before the present ones take their place with runs under way. */
  upgrade(project: Project, renew: () => void): Promise<void>
  wholeStack(project: Project): Promise<void>
  restarts(project: Project): Promise<void>
  kubernetes(project: Project): Promise<void>
  stops(project: Project): Promise<void>
  failed(): number
}

/** The way of a user through a deployment, a line for each step. A step that is not as it should be is said, and the walk goes on. */
export function createWalk(say: (line: string) => void): Walk {
  let failed = 0

  async function step(what: string, work: () => unknown): Promise<boolean> {
    const began = performance.now()
    const spent = () => `${((performance.now() - began) / 1000).toFixed(1)} s`
    try {
      const found = await work()
      say(`✓ ${what}${typeof found === 'string' && found !== '' ? `: ${found}` : ''} (${spent()})`)
      return true
    } catch (error) {
      failed += 1
      say(`✗ ${what} (${spent()}): ${error instanceof Error ? error.message : String(error)}`)
      return false
    }
  }

  /** A step without which the others say nothing. */
  async function first(what: string, work: () => unknown): Promise<void> {
    if (!(await step(what, work))) throw new Error('The stack does not come up.')
  }

  async function oneRun(project: Project): Promise<void> {
    await step('a run through the API behind the gateway ends green, and its report is delivered', () => queueByApi(project))
    await step('each line of the gateway’s log is joined with a request', () => untilJoined(project))
  }

  return {
    failed: () => failed,
    async upgrade(project, renew) {
      await first('of the earlier commit: secrets and account are made, and everything comes up', async () => {
        firstSteps(project)
        project.compose('up', '--detach', '--no-build')
        return untilHealthy(project)
      })
      await step('the present version takes its place with runs under way, and they end green', async () => {
        const ids = [1, 2, 3, 4, 5].map(() => queue(project))
        renew()
        makeKey(project)
        project.compose('up', '--detach', '--no-build')
        await untilHealthy(project)
        return untilGreen(project, ids)
      })
    },
    async wholeStack(project) {
      const isUp = project.tryCompose('ps', '-q', 'api').out.trim() !== ''
      if (!isUp)
        await first('secrets, account and signing key are made as compose-init says', () => {
          firstSteps(project)
          makeKey(project)
        })
      await first('docker compose up', () => void project.compose('up', '--detach', '--no-build'))
      await first('every service is up, and those with a check are healthy', () => untilHealthy(project))
      await step('doctor finds nothing wrong', () => doctor(project))
      await oneRun(project)
      await step('checkpoint and retention were done by the scheduler', () => untilDuties(project))
      await step('a bundle and the store verify outside of the containers', () => verifyOutside(project))
      await step('the key is rotated, and the chain verifies with the old one and the new', () => rotate(project))
    },
    async restarts(project) {
      await step('everything is restarted once with runs under way: they end green', async () => {
        const ids = [1, 2, 3].map(() => queue(project))
        project.compose('restart', '--timeout', '40')
        await untilHealthy(project)
        return untilGreen(project, ids)
      })
      await oneRun(project)
      await step('evidence verify --store accuses nobody', () => verifyStore(project))
    },
    kubernetes: (project) => lookAtManifests(project, step),
    async stops(project) {
      await step('docker compose stop ends each service by its own will', () => {
        const containers = project.services().map((service) => [service, project.container(service)] as const)
        project.compose('stop', '--timeout', '40')
        const codes = containers.map(([service, container]) => [service, inspect(container).State.ExitCode] as const)
        const killed = codes.filter(([, code]) => !ENDED.includes(code))
        if (killed.length > 0) throw new Error(killed.map(([service, code]) => `${service} ended with ${code}`).join(', '))
      })
    },
  }
}

async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const end = performance.now() + UP_MS
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > end) throw new Error(`not in ${UP_MS / 1000} s: ${what}`)
    await sleep(LOOK_MS)
  }
}

async function untilHealthy(project: Project): Promise<string> {
  let last = ''
  await until('all services are healthy', () => {
    const states = project.services().map((service) => ({ service, ...inspect(project.container(service)) }))
    const not = states.filter(({ State: { Status, Health } }) => Status !== 'running' || (Health && Health.Status !== 'healthy'))
    last = not.map(({ service, State }) => `${service} is ${State.Health?.Status ?? State.Status}`).join(', ')
    return not.length === 0 ? true : undefined
  }).catch((error: unknown) => {
    throw new Error(`${last}\n${project.tryCompose('logs', '--tail', '15').out}`, { cause: error })
  })
  return `${project.services().length} services`
}

function nightshift(project: Project, service: string, ...args: string[]): string {
  const { code, out, err } = project.nightshift(service, ...args)
  if (code !== 0)
    throw new Error(`nightshift ${args.join(' ')} in ${service} ended with ${code}:\n${out.slice(-3000)}\n${err.slice(-3000)}`)
  return out
}

/** Queues a run, and returns its id without waiting for it. */
function queue(project: Project): string {
  return runSchema.parse(JSON.parse(nightshift(project, 'api', 'run', JOB, '--json'))).id
}

const show = (project: Project, id: string) => runSchema.parse(JSON.parse(nightshift(project, 'api', 'show', id, '--json')))

async function untilGreen(project: Project, ids: readonly string[]): Promise<string> {
  for (const id of ids) {
    const status = await until(`${id} ends`, () => {
      const found = show(project, id).status
      return ['queued', 'running'].includes(found) ? undefined : found
    })
    if (status !== 'succeeded') throw new Error(`${id} ended as ${status}:\n${nightshift(project, 'api', 'show', id)}`)
  }
  return `${ids.length} runs`
}

/** Asks as another service does: with its account's token, through the gateway. */
const ASK = `
const { readFileSync } = await import('node:fs')
const { request } = await import('node:https')
const host = 'nightshift.localhost.pomerium.io'
const options = { host: 'pomerium', servername: host, method: 'POST', path: '/v1/jobs/${JOB}/runs', ca: readFileSync('/run/secrets/pomerium_ca'),
  headers: { host, authorization: 'Bearer Pomerium-' + readFileSync('/run/accounts/reports.jwt', 'utf8').trim(), 'content-type': 'application/json', 'idempotency-key': process.argv[1] } }
const answer = await new Promise((done, fail) => request(options, done).on('error', fail).end('{}'))
let text = ''
for await (const chunk of answer) text += chunk
console.log(answer.statusCode + ' ' + text)
`

async function queueByApi(project: Project): Promise<string> {
  const said = project.compose('exec', '-T', 'worker', 'node', '--input-type=module', '-e', ASK, randomUUID())
  const [, status, body = ''] = /^(\d+) ([^]*)$/.exec(said) ?? []
  if (status !== '201' && status !== '202') throw new Error(`the API answered ${said}`)
  const { id } = runSchema.parse(JSON.parse(body))
  await untilGreen(project, [id])
  await until('the report is a file', () =>
    project.tryCompose('exec', '-T', 'worker', 'ls', `reports/${REPORTS}`).out.includes(id.slice(-SHORT)) ? true : undefined,
  )
  return id
}

function untilJoined(project: Project): Promise<string> {
  let last = ''
  return until('no line is unexplained, and no request is missing', () => {
    const { code, out, err } = project.nightshift('api', 'audit', 'report')
    last = out + err
    return code === 0 ? (out.split('\n')[0] ?? '') : undefined
  }).catch((cause: unknown) => {
    throw new Error(last, { cause })
  })
}

/** Looks from where all that the services need can be seen. */
function doctor(project: Project): string {
  const { code, out } = project.tryCompose('run', '--rm', '-T', 'admin', 'doctor')
  if (code !== 0) throw new Error(out)
  const warnings = out.split('\n').filter((line) => line.startsWith('!'))
  return warnings.length === 0 ? '' : `${warnings.length} warnings: ${warnings.map((line) => line.slice(0, 80)).join(' | ')}`
}

function untilDuties(project: Project): Promise<string> {
  return until('the duties are done', () => {
    const { out } = project.nightshift('api', 'status', '--json')
    const { duties } = statusSchema.parse(JSON.parse(out))
    const done = ['checkpoint', 'retention'].map((name) => duties.find(({ duty, succeededAt }) => duty === name && succeededAt !== null))
    return done.every((duty) => duty !== undefined) ? done.map((duty) => duty.duty).join(', ') : undefined
  })
}

const newest = (project: Project) => {
  const runs = runsSchema.parse(JSON.parse(nightshift(project, 'api', 'runs', '--json')))
  const [first] = runs
  if (!first) throw new Error('there is no run')
  return first.id
}

/** Verifies with the program of this machine and the public half alone. */
function verifyOutside(project: Project): string {
  const bundle = join(project.dir, 'run.evidence.json')
  writeFileSync(bundle, nightshift(project, 'scheduler', 'evidence', 'export', newest(project)))
  const key = join(project.dir, 'evidence.key.pub')
  writeFileSync(key, project.compose('exec', '-T', 'scheduler', 'cat', '/app/evidence/evidence.key.pub'))
  must(process.execPath, [join(ROOT, 'src/cli/bin.js'), 'evidence', 'verify', bundle, '--key', key])
  nightshift(project, 'scheduler', 'evidence', 'checkpoint')
  return verifyStore(project)
}

const verifyStore = (project: Project) => nightshift(project, 'scheduler', 'evidence', 'verify', '--store').split('\n')[0] ?? ''

function rotate(project: Project): string {
  copyFileSync(join(project.dir, 'evidence.key.pub'), join(project.dir, 'old.pub'))
  // By root, as an operator may do it: the scheduler, which is another user, goes on signing.
  project.compose('run', '--rm', '-T', 'admin', 'evidence', 'key', 'rotate')
  nightshift(project, 'scheduler', 'evidence', 'checkpoint')
  return verifyStore(project)
}
