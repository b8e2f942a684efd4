import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { Failure } from '../../../core/failure.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { examples, type AddCommand } from '../../options/options.ts'
import { dependencyFor, ROOT } from './own-package.ts'

/** Goes green with what the starter has. */
const DEV = 'npx nightshift dev hello --mcp "my-server=node example-server.mjs"'

const JOB = `# yaml-language-server: $schema=../config/job.schema.json
description: An example to change; try it with nightshift run hello --follow
account: reports
model: { provider: openai, name: gpt-5.4-mini }
# schedule: { cron: "0 7 * * 1-5", timezone: Europe/Zurich, missed: last, overlap: skip }
prompt: |
  Read the stock, and say in one sentence what is running out. It is {{ fire_time | date: "%F" }}.
tools:
  # The name of an MCP route in Pomerium, and the tools of it that this job may call. repeatable: those of them that may be called
  # twice without harm, such as tools that only read. Any other is never sent again, and the echo model of nightshift dev never calls it.
  my-server: { allow: [read_stock], repeatable: [read_stock] }
limits: { turns: 5, toolCalls: 5, deadline: 2m }
`

const README = `# Jobs for Nightshift

- \`config/nightshift.yaml\`: where Pomerium, the model and the store are; each line is explained in it. At least \`POMERIUM_URL\`,
  \`NIGHTSHIFT_REPORTS_TOKEN\` and \`OPENAI_API_KEY\` must be set.
- \`jobs/\`: a file for each job. \`npx nightshift jobs check\` checks them; editors complete them from \`config/job.schema.json\`.
- \`example-server.mjs\`: an MCP server to try the first job with, until yours takes its place.

\`\`\`sh
npm install
${DEV}   # or your own MCP server, such as my-server=http://127.0.0.1:8000/mcp: no Pomerium, no model
npx nightshift evidence key create  # once: the key that signs what is known of each run
npx nightshift doctor               # everything that runs need, each with its cure
npx nightshift run hello --follow   # beside a worker: npx nightshift start
docker compose run --build --rm nightshift evidence key create   # once more, for the volume of the containers
docker compose up --build           # worker, scheduler and API with Postgres and Redis
\`\`\`
`

const DOCKERFILE = `FROM node:24-bookworm-slim
WORKDIR /app
# With the package itself, where it was installed from a file.
COPY package.json package-lock.json *.tgz ./
# Postgres is given from outside, and so is Node.
RUN npm ci --omit=dev --omit=optional --ignore-scripts
COPY config config
COPY jobs jobs
# What is written: the key of evidence with what it signed last, and reports. Volumes that are mounted here begin with this owner.
RUN install -d -o node -g root -m 0770 .nightshift reports
USER node
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD ["node", "node_modules/nightshift/src/cli/health.js"]
ENTRYPOINT ["node", "node_modules/nightshift/src/cli/bin.js"]
CMD ["start"]
`

const COMPOSE = `# Nightshift with its store and queue. Pomerium and the MCP servers are yours: config/nightshift.yaml says where.
services:
  redis:
    image: redis:7
    # A queue must not forget (append-only file) nor evict.
    command: [redis-server, --appendonly, "yes", --maxmemory-policy, noeviction]
    volumes: [redis:/data]
    healthcheck: { test: [CMD, redis-cli, ping], interval: 5s, timeout: 3s, retries: 10 }
    restart: unless-stopped
  postgres:
    image: postgres:18
    environment: { POSTGRES_USER: nightshift, POSTGRES_DB: nightshift, POSTGRES_PASSWORD: "\${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD}" }
    volumes: [postgres:/var/lib/postgresql]
    healthcheck: { test: [CMD-SHELL, pg_isready -U nightshift], interval: 5s, timeout: 3s, retries: 10 }
    restart: unless-stopped
  nightshift:
    build: .
    read_only: true
    tmpfs: [/tmp]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    # The watchdog ends a worker whose event loop is blocked, and a first process has no signal of its own.
    init: true
    volumes: ["data:/app/.nightshift", "reports:/app/reports"]
    environment:
      DATABASE_URL: postgres://nightshift:\${POSTGRES_PASSWORD}@postgres:5432/nightshift
      REDIS_URL: redis://redis:6379
      POMERIUM_URL: \${POMERIUM_URL:?set POMERIUM_URL}
      NIGHTSHIFT_REPORTS_TOKEN: \${NIGHTSHIFT_REPORTS_TOKEN:?set NIGHTSHIFT_REPORTS_TOKEN}
      OPENAI_API_KEY: \${OPENAI_API_KEY:-}
    depends_on:
      redis: { condition: service_healthy }
      postgres: { condition: service_healthy }
    stop_grace_period: 40s
    restart: unless-stopped
volumes:
  redis:
  postgres:
  data:
  reports:
`

export const addInit: AddCommand = (program, terminal, done) => {
  program
    .command('init [dir]')
    .description('write a starter for jobs in a repository of your own; overwrites nothing')
    .addHelpText('after', examples('npx nightshift init ../reports', 'npx nightshift init'))
    .action((dir = '.') => {
      const target = resolve(String(dir))
      const files: [path: string, write: (file: string) => void][] = [
        ['config/nightshift.yaml', copyOf('config/nightshift.yaml')],
        ['config/job.schema.json', copyOf('config/job.schema.json')],
        ['jobs/hello.yaml', textOf(JOB)],
        ['example-server.mjs', copyOf('config/example-server.mjs')],
        ['docker-compose.yml', textOf(COMPOSE)],
        ['Dockerfile', textOf(DOCKERFILE)],
        ['README.md', textOf(README)],
        ['.dockerignore', textOf('node_modules\n.nightshift\nsecrets\n.git\n')],
        ['.gitignore', textOf('node_modules/\n.nightshift/\nsecrets/\n')],
      ]
      const taken = files.filter(([path]) => existsSync(join(target, path))).map(([path]) => path)
      if (taken.length > 0)
        throw new Failure({
          code: 'COMMAND_INVALID',
          message: `${target} has ${taken.join(', ')} already; nothing was written.`,
          cure: 'Name an empty directory.',
        })
      for (const [path, write] of files) {
        mkdirSync(dirname(join(target, path)), { recursive: true })
        write(join(target, path))
      }
      const { spec, file } = dependencyFor(target)
      const manifest = join(target, 'package.json')
      const isNew = !existsSync(manifest)
      if (isNew)
        writeFileSync(manifest, `${JSON.stringify({ private: true, type: 'module', dependencies: { nightshift: spec } }, null, 2)}\n`)
      const written = [...files.map(([path]) => path), ...(isNew ? ['package.json'] : []), ...(file === undefined ? [] : [file])]
      terminal.out(
        `${written.join('\n')}\n\nNext:\n${nextSteps(target, isNew ? undefined : spec)
          .map((step) => `  ${step}`)
          .join('\n')}`,
      )
      done(EXIT.ok)
    })
}

/** Commands that work where this one was run. `spec`: of the dependency, where package.json is not ours. */
function nextSteps(target: string, spec: string | undefined): string[] {
  const way = relative(process.cwd(), target)
  return [
    ...(way === '' ? [] : [`cd ${/^[\w./-]+$/.test(way) ? way : JSON.stringify(way)}`]),
    spec === undefined || spec.startsWith('file:')
      ? `npm install${spec === undefined ? '' : ` ./${spec.slice('file:'.length)}`}`
      : `npm install nightshift@${spec}`,
    `${DEV}  # then with your own, such as my-server=http://127.0.0.1:8000/mcp: no Pomerium, no model`,
    `${'npx nightshift evidence key create'.padEnd(DEV.length)}  # once: the key that signs what is known of each run`,
    `${'npx nightshift doctor'.padEnd(DEV.length)}  # once config/nightshift.yaml says where Pomerium and the model are`,
  ]
}

const copyOf = (path: string) => (file: string) => copyFileSync(join(ROOT, path), file)
const textOf = (text: string) => (file: string) => writeFileSync(file, text)
