import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { docker, run } from './docker.ts'
import { IMAGE } from './images.ts'
import type { Project } from './project.ts'

const ROOT = join(import.meta.dirname, '../..')
/** A user that the image does not know, in root's group: as OpenShift chooses it. */
const STRANGER = '12345:0'
const UP_MS = 60_000
const LOOK_MS = 500

const probeSchema = z.object({ httpGet: z.object({ path: z.string() }) })
const containerSchema = z.object({
  args: z.array(z.string()),
  env: z.array(
    z.union([
      z.object({ name: z.string(), value: z.string() }),
      z.object({ name: z.string(), valueFrom: z.object({ secretKeyRef: z.object({ key: z.string() }) }) }),
    ]),
  ),
  securityContext: z.object({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  livenessProbe: probeSchema,
  readinessProbe: probeSchema,
  resources: z.object({ limits: z.object({ memory: z.string() }) }),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().default(false) })),
})
const workloadSchema = z.object({
  kind: z.enum(['Deployment', 'StatefulSet']),
  metadata: z.object({ name: z.string() }),
  spec: z.looseObject({ template: z.object({ spec: z.looseObject({ containers: z.tuple([containerSchema]) }) }) }),
})

/** Starts the container of each part as the manifests say, with all that they take away, beside the store and the queue of the stack. */
export async function lookAtManifests(project: Project, step: (what: string, work: () => unknown) => Promise<unknown>): Promise<void> {
  const { items } = z
    .object({ items: z.array(z.unknown()) })
    .parse(parse(readFileSync(join(ROOT, 'config/kubernetes/nightshift.yaml'), 'utf8')))
  const workloads = items.flatMap((item) => {
    const found = workloadSchema.safeParse(item)
    return found.success ? [found.data] : []
  })
  const files = writeFiles(project)
  for (const { metadata, spec } of workloads) {
    const [container] = spec.template.spec.containers
    await step(`${metadata.name} of the manifests is live and ready as user ${STRANGER}, on a read-only root`, async () => {
      const id = docker(...argsOf(project, container, files)).trim()
      try {
        for (const { httpGet } of [container.livenessProbe, container.readinessProbe]) await untilOk(id, httpGet.path)
        if (container.volumeMounts.some(({ name }) => name === 'evidence-memory'))
          docker('exec', id, 'node', 'dist/cli/bin.js', 'evidence', 'checkpoint')
        docker('stop', '--time', '40', id)
        const code = docker('inspect', '-f', '{{.State.ExitCode}}', id).trim()
        if (code !== '0') throw new Error(`it ended with ${code}`)
      } finally {
        run('docker', ['rm', '--force', id])
      }
    })
  }
}

type Container = z.output<typeof containerSchema>

function argsOf(project: Project, { args, env, resources, volumeMounts }: Container, files: Readonly<Record<string, string>>): string[] {
  const values: Record<string, string> = {
    database_url: `postgres://nightshift:${readFileSync(join(project.dir, 'secrets/postgres_password'), 'utf8')}@postgres:5432/nightshift`,
    redis_url: 'redis://redis:6379',
  }
  const mounts = volumeMounts.flatMap(({ name, mountPath, readOnly }) => {
    const from = files[name]
    return from === undefined
      ? ['--tmpfs', `${mountPath}:mode=0770,uid=12345,gid=0`]
      : ['-v', `${from}:${mountPath}${readOnly ? ':ro' : ''}`]
  })
  const taken = ['--user', STRANGER, '--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges:true']
  const memory = resources.limits.memory.replace('i', '').toLowerCase()
  return ['run', '--detach', '--network', `${project.name}_default`, '--memory', memory].concat(
    taken,
    env.flatMap((one) => ['-e', `${one.name}=${'value' in one ? one.value : (values[one.valueFrom.secretKeyRef.key] ?? '')}`]),
    mounts,
    IMAGE,
    args,
  )
}

const configSchema = z.looseObject({
  databaseUrl: z.string(),
  databasePasswordFile: z.string(),
  redisUrl: z.string(),
  gateway: z.looseObject({}),
  providers: z.object({ openai: z.looseObject({}) }),
})

/** What the secrets and config maps of the manifests hold, as their head says: a directory by the name of its volume. The key is that of the stack. */
function writeFiles({ dir, compose }: Project): Record<string, string> {
  const place = (name: string, files: Readonly<Record<string, string>>) => {
    const path = join(dir, `kubernetes-${name}`)
    mkdirSync(path)
    for (const [file, text] of Object.entries(files)) {
      writeFileSync(join(path, file), text)
      chmodSync(join(path, file), 0o440)
    }
    return path
  }
  const read = (file: string) => readFileSync(join(dir, file), 'utf8')
  const { databaseUrl: _, databasePasswordFile: __, redisUrl: ___, ...shared } = configSchema.parse(parse(read('config/compose.yaml')))
  const config = {
    ...shared,
    gateway: { ...shared.gateway, caFile: 'ca.pem' },
    accounts: { reports: { tokenFile: '/run/secrets/reports.jwt' } },
    providers: { openai: { ...shared.providers.openai, apiKeyFile: '/run/secrets/openai_api_key' } },
    reportsDir: '/tmp/reports',
    evidence: { keyFile: '/run/evidence/evidence.key', memoryFile: '/var/lib/nightshift/evidence.last' },
  }
  return {
    config: place('config', { 'nightshift.yaml': stringify(config), 'ca.pem': read('secrets/pomerium.crt') }),
    jobs: join(dir, 'jobs'),
    secrets: place('secrets', { 'reports.jwt': read('secrets/accounts/reports.jwt'), openai_api_key: read('secrets/openai_api_key') }),
    'evidence-key': place('evidence', { 'evidence.key': compose('exec', '-T', 'scheduler', 'cat', '/app/evidence/evidence.key') }),
  }
}

async function untilOk(container: string, path: string): Promise<void> {
  const end = performance.now() + UP_MS
  const ask = `const answer = await fetch('http://127.0.0.1:8480${path}'); console.log(answer.status, await answer.text()); process.exit(answer.ok ? 0 : 1)`
  for (;;) {
    const { code, out, err } = run('docker', ['exec', container, 'node', '--input-type=module', '-e', ask])
    if (code === 0) return
    if (performance.now() > end)
      throw new Error(`${path} is not ok: ${out}${err.slice(-500)}\n${run('docker', ['logs', '--tail', '20', container]).out}`)
    await sleep(LOOK_MS)
  }
}
