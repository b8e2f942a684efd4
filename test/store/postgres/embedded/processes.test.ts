import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isServerOn, startTimeOf } from '../../../../src/store/postgres/embedded/processes.ts'

/** How Linux is asked, and how others are: these have `ps`, as most Linux systems do. */
const WAYS = [...(process.platform === 'linux' ? ['linux'] : []), ...(existsSync('/bin/ps') ? ['darwin'] : [])]

/** A program with the arguments of a Postgres on `data`, which stands in it. */
async function createServer() {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'nightshift-processes-')))
  const data = join(dir, 'the data')
  mkdirSync(data)
  // oxlint-disable-next-line waits/bounded -- it is ended below
  const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1e6)', 'postgres', '-D', data, '-c', 'port=5432'], {
    cwd: data,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return {
    pid: child.pid ?? 0,
    dir,
    data,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await once(child, 'exit')
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

describe.each(WAYS)('as %s says it', (platform) => {
  test('a process that was given the directory is its server, and no other is', async () => {
    await using server = await createServer()
    expect(isServerOn(server.pid, server.data, platform)).toBe(true)
    expect(isServerOn(process.pid, server.data, platform)).toBe(false)
    expect(isServerOn(server.pid, server.dir, platform)).toBe(false)
  })

  test('it is so after the directory was moved', async () => {
    await using server = await createServer()
    const moved = join(server.dir, 'elsewhere')
    renameSync(server.data, moved)
    expect(isServerOn(server.pid, moved, platform)).toBe(true)
  })

  test('a process that is not there is no server', () => {
    expect(() => isServerOn(4_194_303, tmpdir(), platform)).toThrow()
  })

  test('a process has one start time, and another process another', async () => {
    await using server = await createServer()
    expect(startTimeOf(server.pid, platform)).toBe(startTimeOf(server.pid, platform))
    expect(startTimeOf(server.pid, platform)).not.toBe(startTimeOf(1, platform))
  })
})
