// The demo on linux-arm64, emulated: a Debian of that machine (debootstrap --foreign), its programs run by qemu-user-static through the kernel's binfmt_misc, in
// which an ordinary user starts the demo. Nothing of it stays mounted. By itself: npm run demo:arm64.
import { execFile, execFileSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { environment } from '../../src/config/environment.ts'
import { messageOf } from '../../src/core/failure.ts'
import { copySources, install } from './checkout.ts'

const SUITE = 'bookworm'
/** What Node and Postgres are linked to, beyond what each Debian has. */
const LIBRARIES = ['libstdc++6', 'libatomic1']
const CACHE = '/var/cache/nightshift-tests'
const BINFMT = '/proc/sys/fs/binfmt_misc'
const RULE = 'qemu-aarch64'
const RULE_FILE = `/usr/lib/binfmt.d/${RULE}.conf`
const BOOTSTRAP_MS = 600_000
const DEMO_MS = 600_000
const USER = 1000

const exec = promisify(execFile)
const isOnPath = (program: string) =>
  [...(environment['PATH'] ?? '').split(delimiter), '/usr/sbin'].some((dir) => existsSync(join(dir, program)))

/** Why this machine cannot emulate another one; undefined when it can. */
export function whyNoArm64(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'it is emulated on Linux x64 alone'
  if (process.getuid?.() !== 0) return 'only root can tell the kernel to emulate'
  const missing = ['debootstrap', 'qemu-aarch64-static', 'unshare', 'chroot'].filter((program) => !isOnPath(program))
  if (missing.length > 0) return `${missing.join(', ')} are missing: apt-get install debootstrap qemu-user-static`
  try {
    enableBinfmt()
    return undefined
  } catch (error) {
    return `the kernel does not take the rule for programs of arm64: ${messageOf(error)}`
  }
}

/** The rule stays until the machine is started again. It lets programs of arm64 run, and changes nothing for others. */
function enableBinfmt(): void {
  if (existsSync(join(BINFMT, RULE))) return
  if (!existsSync(join(BINFMT, 'register')))
    execFileSync('mount', ['-t', 'binfmt_misc', 'binfmt_misc', BINFMT], { timeout: 10_000, stdio: 'pipe' })
  if (!existsSync(join(BINFMT, RULE))) writeFileSync(join(BINFMT, 'register'), readFileSync(RULE_FILE, 'utf8'))
}

/** A Debian for arm64, made once: its packages are unpacked and not set up, which is what takes minutes under emulation. */
async function makeDebian(): Promise<string> {
  const debian = join(CACHE, `${SUITE}-arm64`)
  if (existsSync(debian)) return debian
  mkdirSync(CACHE, { recursive: true })
  const aside = mkdtempSync(join(CACHE, 'new-'))
  try {
    const options = ['--foreign', '--arch=arm64', '--variant=minbase', `--include=${LIBRARIES.join(',')}`]
    await exec('debootstrap', [...options, SUITE, aside], { timeout: BOOTSTRAP_MS, maxBuffer: 64 * 1024 * 1024 })
    const packages = LIBRARIES.flatMap((name) => globSync(join(aside, 'var/cache/apt/archives', `${name}_*.deb`)))
    const unpack = 'dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2"'
    for (const one of packages) await exec('sh', ['-c', unpack, 'sh', one, aside], { timeout: 60_000 })
    mkdirSync(join(aside, 'etc'), { recursive: true })
    appendFileSync(join(aside, 'etc/passwd'), `root:x:0:0::/root:/bin/sh\nordinary:x:${USER}:${USER}::/home/ordinary:/bin/sh\n`)
    renameSync(aside, debian)
    return debian
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

/** In a mount and a process namespace of its own, which end with it. */
const INSIDE = `
mount --bind /dev "$1/dev"
mount -t proc proc "$1/proc"
exec chroot --userspec=${USER}:${USER} "$1" /usr/bin/env -i PATH=/srv/nightshift/node_modules/.bin:/usr/bin:/bin HOME=/home/ordinary sh -c '
cd /srv/nightshift && node -p process.arch && exec node src/cli/bin.js demo --json'
`

/** Runs the demo. What it printed: the processor as Node names it, and the finished run as JSON. */
export async function runOnArm64(): Promise<{ arch: string; run: string }> {
  const debian = await makeDebian()
  // Below the directory that the emulated user can enter, and removed with it: what is kept stays as it was unpacked.
  const root = mkdtempSync(join(tmpdir(), 'nightshift-arm64-'))
  try {
    cpSync(debian, root, { recursive: true, verbatimSymlinks: true })
    await exec('chmod', ['755', root], { timeout: 10_000 })
    const checkout = join(root, 'srv/nightshift')
    copySources(checkout)
    await install(checkout, { os: 'linux', cpu: 'arm64' })
    for (const dir of ['home/ordinary', 'dev', 'proc', 'tmp']) mkdirSync(join(root, dir), { recursive: true })
    await exec('sh', ['-c', `chown -R ${USER}:${USER} "$1/srv/nightshift" "$1/home/ordinary" && chmod 1777 "$1/tmp"`, 'sh', root], {
      timeout: 60_000,
    })
    const { stdout } = await exec('unshare', ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-euc', INSIDE, 'sh', root], {
      timeout: DEMO_MS,
      maxBuffer: 64 * 1024 * 1024,
    })
    const [arch = '', ...run] = stdout.split('\n')
    return { arch, run: run.join('\n') }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

if (import.meta.main) {
  const why = whyNoArm64()
  if (why === undefined) {
    const { arch, run } = await runOnArm64()
    process.stdout.write(`${arch}\n${run}`)
  } else {
    process.stderr.write(`linux-arm64 cannot be emulated here: ${why}.\n`)
    process.exitCode = 1
  }
}
