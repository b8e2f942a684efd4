import { appendFileSync, chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { must, run, type Ran } from './docker.ts'
import { IMAGE, STAND_IN } from './images.ts'

const ROOT = join(import.meta.dirname, '../..')
const PARTS = ['docker-compose.yml', 'config', 'jobs', 'pomerium.yaml']
const CONFIGS = ['config/compose.yaml', 'config/compose-admin.yaml']
/** The job that the stack does, and where its reports go, below reportsDir. */
export const JOB = 'labor-report'
export const REPORTS = 'stack'
/** What is said in the file to be made by hand before everything comes up. */
const FIRST = ['pomerium', 'redis', 'postgres']

const composeSchema = z.looseObject({
  services: z.record(z.string(), z.looseObject({ image: z.string(), ports: z.array(z.string()).optional() })),
})

/** The deployment of docker-compose.yml as its user has it, brought up in a directory of its own. */
export interface Project {
  dir: string
  /** Prefix of what it makes in Docker. */
  name: string
  compose: (...args: string[]) => string
  /** One that may fail. */
  tryCompose: (...args: string[]) => Ran
  /** A command of Nightshift in a service that is up. */
  nightshift: (service: string, ...args: string[]) => Ran
  /** The id of a service's container. */
  container: (service: string) => string
  services: () => readonly string[]
  /** Puts the files of another checkout in the place of those that are there, as an upgrade does. The secrets stay. */
  renew: (root: string) => void
}

/** Old versions of compose know no name: at the top. */
function composeCommand(): { command: string[]; knowsName: boolean } {
  if (run('docker', ['compose', 'version']).code === 0) return { command: ['docker', 'compose'], knowsName: true }
  if (run('docker-compose', ['version']).code === 0) return { command: ['docker-compose'], knowsName: false }
  throw new Error('There is no docker compose on this machine.')
}

/** Makes the secrets as the file says, beside what a user has of a checkout. */
export function makeProject(root: string, dir: string, name: string, { say }: { say: (line: string) => void }): Project {
  say(must(process.execPath, [join(ROOT, 'src/cli/bin.js'), 'compose-init', 'secrets'], { cwd: dir }).split('\n')[0] ?? '')
  writeFileSync(join(dir, 'secrets/openai_api_key'), 'the-key-of-a-stand-in')
  const { command, knowsName } = composeCommand()
  let services = putFiles(root, dir, knowsName)
  const [program = '', ...first] = command
  const args = (more: readonly string[]) => [...first, '-p', name, '-f', 'stack.yml', ...more]
  const compose = (...more: string[]) => must(program, args(more), { cwd: dir })
  return {
    dir,
    name,
    compose,
    tryCompose: (...more) => run(program, args(more), { cwd: dir }),
    nightshift: (service, ...more) => run(program, args(['exec', '-T', service, 'node', 'dist/cli/bin.js', ...more]), { cwd: dir }),
    container: (service) => compose('ps', '-q', service).trim(),
    services: () => services,
    renew(from) {
      services = putFiles(from, dir, knowsName)
    },
  }
}

/** Copies what a user has of a checkout, and puts the stand-ins into the places of Pomerium and the model. Returns the names of its services. */
function putFiles(root: string, dir: string, knowsName: boolean): string[] {
  for (const part of PARTS) cpSync(join(root, part), join(dir, part), { recursive: true })
  for (const file of CONFIGS) {
    const path = join(dir, file)
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace('openai: { api: responses,', 'openai: { api: responses, baseUrl: http://model:8080/v1,'),
    )
  }
  appendFileSync(join(dir, `jobs/${JOB}.yaml`), `deliver: [{ file: ${REPORTS} }]\n`)
  const { name: own, ...file } = composeSchema.parse(parse(readFileSync(join(dir, 'docker-compose.yml'), 'utf8'), { merge: true }))
  const services = Object.entries(file.services).map(([service, { build, ports, ...rest }]) => [
    service,
    {
      ...rest,
      image: build === undefined ? (service === 'pomerium' ? STAND_IN : rest.image) : IMAGE,
      // On this machine nothing is reached from outside.
      ...(ports && { ports: ports.map((port) => `127.0.0.1::${port.split(':')[1]}`) }),
    },
  ])
  const whole = {
    ...(knowsName && { name: own }),
    ...file,
    services: {
      ...Object.fromEntries(services),
      model: { image: STAND_IN, entrypoint: ['node', '/stack/test/stack/model.ts'], init: true },
    },
  }
  writeFileSync(join(dir, 'stack.yml'), stringify(whole, { defaultStringType: 'QUOTE_DOUBLE' }))
  return Object.keys(whole.services).filter((service) => service !== 'admin')
}

/** The first steps, as compose-init says them. */
export function firstSteps(project: Project): void {
  project.compose('up', '--detach', '--no-build', ...FIRST)
  project.compose('run', '--rm', '-T', 'admin', 'account', 'create', 'reports', '--user', 'svc-reports', '--expires', '90d')
}

/** The key of evidence: made once, also where a version before had none. */
export const makeKey = (project: Project): string => project.compose('run', '--rm', '-T', 'scheduler', 'evidence', 'key', 'create')

/** A directory that other users may pass, for what containers read of it. */
export function makeDirectory(dir: string): string {
  mkdirSync(dir, { recursive: true })
  chmodSync(dir, 0o755)
  return dir
}
