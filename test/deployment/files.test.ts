// The image and what starts it are not run by the other tests: here each path that they name is held against the build and the repository.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, normalize } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { ASSETS } from '../../scripts/build.ts'
import { loadConfig } from '../../src/config/load.ts'
import { command } from '../support/cli/command.ts'

const ROOT = join(import.meta.dirname, '../..')
const APP = '/app/'
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const isInRepository = (path: string) => existsSync(join(ROOT, path))

const words = z.union([z.string().transform((text) => text.split(' ')), z.array(z.string())])
const serviceSchema = z.looseObject({
  image: z.string().optional(),
  build: z.string().optional(),
  entrypoint: words.default([]),
  command: words.default([]),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()).default([]),
  secrets: z.array(z.string()).default([]),
  restart: z.string().optional(),
  init: z.boolean().default(false),
})
const composeSchema = z.looseObject({
  services: z.record(z.string(), serviceSchema),
  secrets: z.record(z.string(), z.object({ file: z.string() })).default({}),
  volumes: z.record(z.string(), z.unknown()),
})

const { dependencies } = z.object({ dependencies: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')))
const compose = composeSchema.parse(parse(read('docker-compose.yml'), { merge: true }))
const dockerfile = read('Dockerfile').replaceAll(/\\\n/g, ' ').split('\n')
const image = dockerfile.slice(dockerfile.findLastIndex((line) => line.startsWith('FROM ')))

/** Source and place of each file or directory that a COPY names. */
function copies(lines: readonly string[]): { from: string | undefined; sources: string[]; target: string }[] {
  return lines.flatMap((line) => {
    const [, from, rest] = /^COPY (?:--from=(\w+) )?(.*)$/.exec(line) ?? []
    const parts = rest?.trim().split(/\s+/) ?? []
    const target = parts.pop()
    return target === undefined ? [] : [{ from, sources: parts, target: normalize(target) }]
  })
}

/** Whether `dist/` holds it: compiled from a source, or copied beside the code. */
function isBuilt(path: string): boolean {
  const source = path.replace(/^dist\//, 'src/')
  return (
    ASSETS.some((asset) => source === `src/${asset}` || source.startsWith(`src/${asset}/`)) ||
    isInRepository(source.replace(/\.js$/, '.ts'))
  )
}

/** Whether a package that the image installs, and not one for development, holds it. */
function isInstalled(path: string): boolean {
  const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path) ?? []
  return name !== undefined && Object.hasOwn(dependencies, name) && isInRepository(path)
}

const copied = copies(image).map(({ target }) => target)

/** Whether the image has a file at this path, which is relative to its working directory. */
function isInImage(path: string): boolean {
  if (!copied.some((target) => target === './' || path === target || path.startsWith(`${target}/`))) return false
  if (path.startsWith('dist/')) return isBuilt(path)
  return path.startsWith('node_modules/') ? isInstalled(path) : isInRepository(path)
}

/** The words of a command line that are paths. */
const pathsIn = (line: readonly string[]) => line.filter((word) => /^[\w@./-]+$/.test(word) && word.includes('/'))

/** Places of a container where something is mounted, with what is mounted there. */
const mountsOf = ({ volumes }: Pick<z.output<typeof serviceSchema>, 'volumes'>) =>
  volumes.map((volume) => {
    const [source = '', target = ''] = volume.split(':')
    return { source, target }
  })

test('the Dockerfile copies what is there and is not kept out of its context', () => {
  const ignored = read('.dockerignore').split('\n')
  const sources = copies(dockerfile).flatMap(({ from, sources: paths }) => (from === undefined ? paths : []))
  expect(sources).toContain('src')
  expect(sources.filter((source) => !isInRepository(source) || ignored.includes(source) || source.startsWith('test/'))).toEqual([])
})

test('what the image starts is in it', () => {
  const started = image
    .filter((line) => /(ENTRYPOINT|CMD) \[/.test(line))
    .flatMap((line) => z.array(z.string()).parse(JSON.parse(line.slice(line.indexOf('[')))))
  expect(pathsIn(started)).toEqual(['dist/cli/health.js', 'dist/cli/bin.js'])
  expect(pathsIn(started).filter((path) => !isInImage(path))).toEqual([])
})

test.each(Object.entries(compose.services).filter(([, { build }]) => build === '.'))(
  '%s of docker-compose.yml starts a file of the image',
  (_, service) => {
    const paths = pathsIn(service.entrypoint)
    if (service.entrypoint.length > 0) expect(paths).not.toEqual([])
    expect(paths.filter((path) => !isInImage(path))).toEqual([])
  },
)

test.each(Object.entries(compose.services))('%s of docker-compose.yml finds the files that it is told of', (_, service) => {
  const told = [...service.command, ...Object.values(service.environment)]
    .flatMap((word) => pathsIn([word]))
    .filter((path) => path.startsWith('/'))
  const missing = told.filter((path) => {
    if (path.startsWith('/run/secrets/')) return !service.secrets.includes(path.slice('/run/secrets/'.length))
    const mount = mountsOf(service).find(({ target }) => path.startsWith(`${target}/`))
    if (mount?.source.startsWith('./')) return !isInRepository(join(mount.source, path.slice(mount.target.length)))
    return mount === undefined && !(path.startsWith(APP) && isInImage(path.slice(APP.length)))
  })
  expect(missing).toEqual([])
})

test.each(
  Object.entries(compose.services).filter(
    ([
      ,
      {
        command: [first],
      },
    ]) => first === 'start',
  ),
)('%s of docker-compose.yml is started again when it ends itself', (_, { restart, init }) => {
  expect({ restart, init }).toEqual({ restart: 'unless-stopped', init: true })
})

/** What parts that do no runs and send no reports do without. */
const OF_WORKERS = ['openai_api_key']

test('the configuration of each service names secrets that the service has, and each has those alone that it needs', () => {
  for (const service of Object.values(compose.services)) {
    const config = service.environment['NIGHTSHIFT_CONFIG']
    if (config === undefined) continue
    const [first = '', , part] = service.command
    const isPart = first === 'start' || first === 'audit'
    const named = [...read(config.slice(APP.length)).matchAll(/\/run\/secrets\/(\w+)/g)].map(([, secret]) => secret)
    const needed = named.filter((secret) => secret === undefined || !isPart || part === 'worker' || !OF_WORKERS.includes(secret))
    expect(new Set(service.secrets)).toEqual(new Set(needed))
  }
})

const dir = mkdtempSync(join(tmpdir(), 'nightshift-deployment-'))
beforeAll(async () => {
  expect(await command(['compose-init', join(dir, 'secrets')])).toMatchObject({ code: 0 })
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('what docker-compose.yml takes from this machine is in the repository or made by compose-init', () => {
  const mounted = Object.values(compose.services).flatMap((service) => mountsOf(service).map(({ source }) => source))
  const files = [...mounted.filter((source) => source.startsWith('.')), ...Object.values(compose.secrets).map(({ file }) => file)]
  expect(files).toContain('./secrets/accounts')
  expect(files.filter((file) => !(file.startsWith('./secrets/') ? existsSync(join(dir, file)) : isInRepository(file)))).toEqual([])
  expect(mounted.filter((source) => !source.startsWith('.') && !Object.hasOwn(compose.volumes, source))).toEqual([])
})

const containerSchema = z.looseObject({
  args: z.array(z.string()),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
})
const deploymentSchema = z.object({
  kind: z.enum(['Deployment', 'StatefulSet']),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({ containers: z.array(containerSchema), volumes: z.array(z.looseObject({ name: z.string() })) }),
    }),
    volumeClaimTemplates: z.array(z.object({ metadata: z.object({ name: z.string() }) })).default([]),
  }),
})

test('the manifests mount what their processes read', () => {
  const { items } = z.object({ items: z.array(z.unknown()) }).parse(parse(read('config/kubernetes/nightshift.yaml')))
  const deployments = items.flatMap((item) => {
    const found = deploymentSchema.safeParse(item)
    return found.success ? [found.data] : []
  })
  expect(deployments.map(({ metadata }) => metadata.name)).toEqual(['nightshift-worker', 'nightshift-scheduler', 'nightshift-api'])
  for (const { spec } of deployments) {
    const { containers } = spec.template.spec
    const volumes = [...spec.template.spec.volumes, ...spec.volumeClaimTemplates.map(({ metadata }) => metadata)]
    for (const { args, env, volumeMounts } of containers) {
      expect(args.slice(0, 2)).toEqual(['start', '--only'])
      expect(volumeMounts.filter(({ name }) => !volumes.some((volume) => volume.name === name))).toEqual([])
      const paths = env.flatMap(({ value }) => pathsIn([value ?? '']))
      expect(paths).not.toEqual([])
      expect(paths.filter((path) => !volumeMounts.some(({ mountPath }) => path.startsWith(`${mountPath}/`)))).toEqual([])
    }
  }
})

test('the autoscaler scales a deployment that is there', () => {
  const target = z.looseObject({ spec: z.looseObject({ scaleTargetRef: z.object({ name: z.string() }).optional() }) })
  const names = parseAllDocuments(read('config/kubernetes/scaledobject.yaml')).map(
    (document) => target.parse(document.toJS()).spec.scaleTargetRef?.name,
  )
  expect(names.filter((name) => name !== undefined)).toEqual(['nightshift-worker'])
})

/** What a process of the whole product writes, by its configuration. */
function writtenBy(file: string): string[] {
  const { evidence, reportsDir } = loadConfig({
    file,
    env: { POMERIUM_URL: 'https://gateway.example.com', NIGHTSHIFT_REPORTS_TOKEN: 'token' },
  })
  return [evidence.memoryFile, reportsDir]
}

test('what is written lies in a volume, in what init makes and in docker-compose.yml', async () => {
  const app = join(dir, 'app')
  expect(await command(['init', app])).toMatchObject({ code: 0 })
  const made = composeSchema.parse(parse(readFileSync(join(app, 'docker-compose.yml'), 'utf8')))
  const mounted = ({ volumes }: z.output<typeof serviceSchema>) => mountsOf({ volumes }).map(({ target }) => target)
  const owned = [readFileSync(join(app, 'Dockerfile'), 'utf8'), read('Dockerfile')].map(
    (text) => / install -d .* 0770 (.*)/.exec(text)?.[1]?.split(' ') ?? [],
  )
  const written = writtenBy(join(app, 'config/nightshift.yaml')).map((path) => path.replace(app, '/app'))
  const own = made.services['nightshift']
  expect(own && written.filter((path) => !mounted(own).some((target) => path === target || path.startsWith(`${target}/`)))).toEqual([])
  expect(own && mounted(own).filter((target) => !owned[0]?.includes(target.slice(APP.length)))).toEqual([])
  const { worker, scheduler } = compose.services
  const places = [...(worker ? mounted(worker) : []), ...(scheduler ? mounted(scheduler) : [])]
  expect(places).toEqual(expect.arrayContaining(['/app/reports', '/app/evidence']))
  expect(owned[1]).toEqual(['reports', 'evidence'])
})
