import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { findBinaries } from '../../src/store/postgres/embedded/binaries.ts'
import { docker, must, run } from './docker.ts'

const ROOT = join(import.meta.dirname, '../..')
const PULL_MS = 60_000
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'
/** Debian with what the images below take from it. */
const BASE = 'nightshift-stack-base'
/** The stand-ins for Pomerium and the model, with the libraries of the image that is tested. */
export const STAND_IN = 'nightshift-stack-stand-in'

interface Recipe {
  dockerfile: string
  /** Files of its context: a text, or a path of this machine. */
  files: Readonly<Record<string, string | { from: string }>>
}

const PG_ISREADY = `#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/5432
`
/** What of the official image's entrypoint the compose file uses. */
const POSTGRES_ENTRYPOINT = `#!/bin/bash
set -e
export PGDATA=/var/lib/postgresql/18/docker
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  install -d -o postgres -g postgres -m 0700 "$PGDATA"
  install -o postgres -m 0600 "$POSTGRES_PASSWORD_FILE" /tmp/password
  as_postgres initdb -D "$PGDATA" -U "$POSTGRES_USER" --pwfile=/tmp/password -A scram-sha-256 -E UTF8 --locale=C.UTF-8
  rm /tmp/password
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  echo "create database $POSTGRES_DB" | as_postgres postgres --single -D "$PGDATA" postgres
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups postgres -D "$PGDATA" -c "listen_addresses=*"
`

const recipes = (): Readonly<Record<string, Recipe>> => ({
  'node:24-bookworm-slim': {
    dockerfile: `FROM ${BASE}
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
COPY ca.crt ${CERTIFICATES}
ENV NODE_EXTRA_CA_CERTS=${CERTIFICATES}
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && groupadd -g 1000 node && useradd -u 1000 -g node -m node
`,
    files: {
      node: { from: process.execPath },
      npm: { from: join(dirname(realpathSync(must('which', ['npm']).trim())), '..') },
      'ca.crt': existsSync(CERTIFICATES) ? { from: CERTIFICATES } : '',
    },
  },
  'redis:7': {
    dockerfile: `FROM ${BASE}
COPY entrypoint /usr/local/bin/
RUN chmod +x /usr/local/bin/entrypoint && install -d -o redis -g redis /data
WORKDIR /data
USER redis
ENTRYPOINT ["entrypoint"]
`,
    // As the official image, which no port of the machine leads to by itself.
    files: { entrypoint: '#!/bin/sh\n[ "$1" = redis-server ] && set -- "$@" --protected-mode no\nexec "$@"\n' },
  },
  'postgres:18': {
    dockerfile: `FROM ${BASE}
COPY native /opt/postgres
COPY pg_isready entrypoint /usr/local/bin/
RUN useradd postgres && chmod -R go+rX /opt/postgres && chmod +x /usr/local/bin/*
ENV PATH=/opt/postgres/bin:/usr/local/bin:/usr/bin:/bin LD_LIBRARY_PATH=/opt/postgres/lib
STOPSIGNAL SIGINT
ENTRYPOINT ["entrypoint"]
`,
    files: {
      native: { from: findBinaries({ asNobody: process.getuid?.() === 0, beside: tmpdir() }) },
      pg_isready: PG_ISREADY,
      entrypoint: POSTGRES_ENTRYPOINT,
    },
  },
})

/** Makes what docker-compose.yml pulls, where it cannot be pulled: from Debian's packages and this machine's Node. Pomerium's place is taken by the stand-in. */
export function makeBases(say: (line: string) => void): void {
  for (const [name, recipe] of Object.entries(recipes())) {
    if (isThere(name)) continue
    if (run('docker', ['pull', '--quiet', name], { timeoutMs: PULL_MS }).code === 0) say(`${name} was pulled`)
    else {
      makeDebian(say)
      build(name, recipe)
      say(`${name} was made here`)
    }
  }
}

const isThere = (name: string) => run('docker', ['image', 'inspect', name]).code === 0

function makeDebian(say: (line: string) => void): void {
  if (isThere(BASE)) return
  say('Debian is brought together (debootstrap)')
  inDirectory((dir) => {
    must('debootstrap', ['--variant=minbase', '--include=redis-server,busybox,ca-certificates', 'bookworm', join(dir, 'root')])
    must('sh', ['-c', `tar -C "${dir}/root" -c . | docker import - ${BASE}`])
  })
}

/** The image that is tested. */
export const IMAGE = 'nightshift-stack'

/** Builds the image of a checkout by its own Dockerfile. */
export const buildNightshift = (root: string): string => docker('build', '--network', 'host', '--tag', IMAGE, root)

/** Builds the image in Pomerium's and the model's place. */
export function buildStandIn(): void {
  const dockerfile = `FROM ${IMAGE}
FROM node:24-bookworm-slim
COPY --from=0 /app/node_modules /stack/node_modules
COPY package.json /stack/
COPY src /stack/src
COPY stack /stack/test/stack
COPY pomerium /bin/pomerium
RUN chmod +x /bin/pomerium && install -d /busybox /var/log/pomerium && busybox --install -s /busybox
ENV PATH=/busybox:/usr/local/bin:/usr/bin:/bin
`
  build(STAND_IN, {
    dockerfile,
    files: {
      'package.json': { from: join(ROOT, 'package.json') },
      src: { from: join(ROOT, 'src') },
      stack: { from: import.meta.dirname },
      pomerium: '#!/bin/sh\nexec node /stack/test/stack/pomerium.ts "$@"\n',
    },
  })
}

function build(tag: string, { dockerfile, files }: Recipe): void {
  inDirectory((dir) => {
    writeFileSync(join(dir, 'Dockerfile'), dockerfile)
    for (const [name, file] of Object.entries(files)) {
      if (typeof file === 'string') writeFileSync(join(dir, name), file)
      else cpSync(file.from, join(dir, name), { recursive: true, verbatimSymlinks: true })
    }
    docker('build', '--network', 'host', '--tag', tag, dir)
  })
}

/** Unpacks what was at a commit. */
export function unpackCommit(commit: string, dir: string): string {
  const root = join(dir, 'earlier')
  mkdirSync(root)
  must('sh', ['-c', `git archive "${commit}" | tar -x -C "${root}"`], { cwd: ROOT })
  return root
}

function inDirectory(work: (dir: string) => void): void {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-image-'))
  try {
    work(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
