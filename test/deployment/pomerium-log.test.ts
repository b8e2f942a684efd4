// config/pomerium.sh, by the shell and the awk of busybox, which Pomerium's debug image has: a program in Pomerium's place writes, is asked to end, and says its last words.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'

const SCRIPT = join(import.meta.dirname, '../../config/pomerium.sh')
const LINES = 3000
const FILE_BYTES = 20_000

/** Writes lines, then waits for SIGTERM, says two more and ends with 7. */
const PROGRAM = `
for (let n = 0; n < ${LINES}; n += 1) console.log(JSON.stringify({ n, text: 'x'.repeat(40) }))
console.log('all')
process.on('SIGTERM', () => { console.log('last'); console.log('words'); process.exitCode = 7; clearInterval(stay) })
const stay = setInterval(() => {}, 1000)
`

function start() {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-pomerium-log-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  writeFileSync(join(dir, 'program.mjs'), PROGRAM)
  const file = join(dir, 'pomerium.log')
  spawnSync('busybox', ['--install', '-s', dir])
  const child = spawn(join(dir, 'sh'), [SCRIPT, process.execPath, join(dir, 'program.mjs')], {
    env: { PATH: dir, LOG_FILE: file, LOG_BYTES: String(FILE_BYTES), LOG_FILES: '100', TMPDIR: dir },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const said = text(child.stdout)
  const files = () => {
    const found = [file]
    for (let n = 1; existsSync(`${file}.${n}`); n += 1) found.unshift(`${file}.${n}`)
    return found.map((path) => readFileSync(path, 'utf8'))
  }
  return { child, file, files, said }
}

/** Where it is missing, .ci/run installs it. */
const hasBusybox = spawnSync('busybox', ['true']).status === 0

test.skipIf(!hasBusybox)(
  'SIGTERM reaches Pomerium, its exit code is kept, and no line is lost: not the last ones, and none between two files',
  async () => {
    const { child, file, files, said } = start()
    await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8').includes('all'), { timeout: 20_000 }).toBe(true)
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')
    expect(code).toBe(7)
    const written = files()
    expect(written.length).toBeGreaterThan(5)
    for (const one of written) expect(one.endsWith('\n')).toBe(true)
    for (const one of written.slice(0, -1)) expect(one.length).toBeLessThan(FILE_BYTES + 100)
    const lines = written.join('').trimEnd().split('\n')
    expect(lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line).n)).toEqual(
      Array.from({ length: LINES }, (_, n) => n),
    )
    expect(lines).toEqual(expect.arrayContaining(['last', 'words']))
    expect((await said).trimEnd().split('\n').toSorted()).toEqual(lines.toSorted())
  },
)
