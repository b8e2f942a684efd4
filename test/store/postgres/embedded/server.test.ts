import { chownSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { startEmbeddedPostgres } from '../../../../src/store/postgres/embedded/server.ts'
import {
  ask,
  createPlace,
  gone,
  isAlive,
  killed,
  livePid,
  noneLeft,
  postmasterPid,
  processesOf,
} from '../../../support/database/postgres-process.ts'

const NOBODY = 65_534
const isRoot = process.getuid?.() === 0

/** What a server that died leaves: line 1 its process, line 4 its port, line 8 its state. */
function leavePidFile(dir: string, pid: number): void {
  const file = join(dir, 'data', 'postmaster.pid')
  writeFileSync(file, [pid, join(dir, 'data'), 0, 1, '', '127.0.0.1', '', 'ready   ', ''].join('\n'), { mode: 0o600 })
  if (isRoot) chownSync(file, NOBODY, NOBODY)
}

describe('the embedded server', () => {
  test.skipIf(!isRoot || process.platform !== 'linux')(
    'runs as nobody when we are root, and nobody can read its password but us',
    async () => {
      await using place = createPlace()
      const first = await place.start()
      expect(readFileSync(`/proc/${livePid(place.dir)}/status`, 'utf8')).toMatch(/^Uid:\s+65534\s/m)
      expect(await ask(first.url, 'select current_database() as name')).toEqual([{ name: 'nightshift' }])
      await expect(ask(first.url.replace(/:[^:@]+@/, ':guess@'), 'select 1')).rejects.toThrow('password authentication failed')
    },
  )

  test('starts when nothing that is made can be entered by others', async () => {
    await using place = createPlace()
    const started = await place.start({ umask: '077' })
    expect(await ask(started.url, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  test('is shared by two processes, and ends with the second one that stops', async () => {
    await using place = createPlace()
    const [first, second] = await Promise.all([place.start(), place.start()])
    expect(second.url).toBe(first.url)
    const pid = livePid(place.dir)
    expect(await first.stop()).toBe(0)
    expect(isAlive(pid)).toBe(true)
    expect(await ask(second.url, 'select 1 as one')).toEqual([{ one: 1 }])
    expect(await second.stop()).toBe(0)
    expect(isAlive(pid)).toBe(false)
  })

  test('ends when the two processes that share it stop at the same time', async () => {
    await using place = createPlace()
    const processes = await Promise.all([place.start(), place.start()])
    const pid = livePid(place.dir)
    expect(await Promise.all(processes.map((one) => one.stop()))).toEqual([0, 0])
    expect(isAlive(pid)).toBe(false)
  })

  test('lives on with a second process when the one that started it is killed, and ends with that one, killed too', async () => {
    await using place = createPlace()
    const first = await place.start()
    await ask(first.url, 'create table kept as select 1 as n')
    const pid = livePid(place.dir)
    const second = await place.start()
    await first.kill()
    const third = await place.start()
    await third.stop()
    expect([second.url, livePid(place.dir)]).toEqual([first.url, pid])
    expect(await ask(second.url, 'select n from kept')).toEqual([{ n: 1 }])
    await second.kill()
    await noneLeft(place.dir)
  })

  test('gets another guard by the next process that uses it, when somebody killed the first', async () => {
    await using place = createPlace()
    const first = await place.start()
    const [guard] = processesOf(place.dir, 'guard.heard')
    await killed(guard ?? 0)
    const second = await place.start()
    await first.kill()
    expect(await ask(second.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await second.kill()
    await noneLeft(place.dir)
  })

  test('is not ended under a process that lost its connection, and with that its lock', async () => {
    await using place = createPlace()
    const first = await place.start()
    const second = await place.start()
    const [keeper] = await ask<{ cut: boolean }>(
      first.url,
      'select pg_terminate_backend(pid) as cut from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() order by backend_start limit 1',
    )
    expect(keeper).toEqual({ cut: true })
    expect(await second.stop()).toBe(0)
    expect(await ask(first.url, 'select 1 as one')).toEqual([{ one: 1 }])
    expect(await first.stop()).toBe(0)
    await noneLeft(place.dir)
  })

  test('is not ended under the process that outlived the server before it', async () => {
    await using place = createPlace()
    const first = await place.start()
    await killed(livePid(place.dir))
    const second = await place.start()
    expect(await second.stop()).toBe(0)
    expect(await ask(first.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await first.kill()
    await noneLeft(place.dir)
  })

  test.each(['stop', 'kill'] as const)('is not ended under a process that found no pipe: somebody removed it (%s)', async (end) => {
    await using place = createPlace()
    const first = await place.start()
    rmSync(join(place.dir, 'guard.pipe'))
    const second = await place.start()
    const [guard] = processesOf(place.dir, 'guard.heard')
    await first[end]()
    await gone(guard ?? 0)
    expect(await ask(second.url, 'select 1 as one')).toEqual([{ one: 1 }])
    expect(await second.stop()).toBe(0)
    await noneLeft(place.dir)
  })

  test('is there for a process that comes as the last one that used it is killed', async () => {
    await using place = createPlace()
    let last = await place.start()
    await ask(last.url, 'create table kept as select 1 as n')
    for (let n = 1; n <= 8; n++) {
      const [next] = await Promise.all([place.start(), last.kill()])
      expect(await ask(next.url, 'select n from kept')).toEqual([{ n: 1 }])
      last = next
    }
    await last.kill()
    await noneLeft(place.dir)
  })

  test('is adopted also when its process had not yet made the database', async () => {
    await using place = createPlace()
    const first = await place.start()
    await ask(first.url.replace(/nightshift$/, 'postgres'), 'drop database nightshift with (force)')
    const second = await place.start()
    expect(await ask(second.url, 'select current_database() as name')).toEqual([{ name: 'nightshift' }])
  })

  test('starts again after everything was killed, with all that was written', async () => {
    await using place = createPlace()
    const first = await place.start()
    await ask(first.url, 'create table kept (n int)')
    for (let n = 1; n <= 5; n++) await ask(first.url, `insert into kept values (${n})`)
    await Promise.all([killed(livePid(place.dir)), first.kill()])
    const second = await place.start()
    expect(await ask(second.url, 'select count(*)::int as n from kept')).toEqual([{ n: 5 }])
  })

  test('starts again after the server alone was killed', async () => {
    await using place = createPlace()
    const first = await place.start()
    await ask(first.url, 'create table kept as select 1 as n')
    await killed(livePid(place.dir))
    const second = await place.start()
    expect(await ask(second.url, 'select n from kept')).toEqual([{ n: 1 }])
    expect(await first.stop()).toBe(0)
    expect(await ask(second.url, 'select n from kept')).toEqual([{ n: 1 }])
  })

  test('does not take another server for its own when the process id of a dead one was given away', async () => {
    await using place = createPlace()
    const first = await place.start()
    await ask(first.url, 'create table kept as select 1 as n')
    await first.stop()
    const socket = decodeURIComponent(new URL(inject('postgresUrl')).hostname)
    leavePidFile(place.dir, livePid(dirname(socket)))
    const second = await place.start()
    expect(await ask(second.url, 'select n from kept')).toEqual([{ n: 1 }])
    expect(await ask(inject('postgresUrl'), 'select 1 as one')).toEqual([{ one: 1 }])
  })

  test.each(['settings.json', 'data/nightshift.json'])('keeps all that was written when %s is gone, and makes it anew', async (file) => {
    await using place = createPlace()
    const first = await place.start()
    await ask(first.url, 'create table kept as select 1 as n')
    await first.stop()
    rmSync(join(place.dir, file))
    const second = await place.start()
    expect(await ask(second.url, 'select n from kept')).toEqual([{ n: 1 }])
    expect(statSync(join(place.dir, file)).mode & 0o777).toBe(0o600)
  })

  test('that lives and has another password than the settings say is refused, with the file to put back', async () => {
    await using place = createPlace()
    await place.start()
    writeFileSync(join(place.dir, 'settings.json'), '{"password":"of another one"}')
    await expect(startEmbeddedPostgres({ dir: place.dir })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('password authentication failed'),
      cure: expect.stringMatching(/^Put back the .*settings\.json/),
    })
  })

  test('ends with its process when it is ephemeral, also when that is killed', async () => {
    await using place = createPlace()
    const first = await place.start({ ephemeral: true })
    const pid = livePid(place.dir)
    await first.kill()
    await gone(pid)
    expect(postmasterPid(place.dir)).toBeUndefined()
  })

  test('removes what it kept when it is ephemeral and stopped', async () => {
    await using place = createPlace()
    const first = await place.start({ ephemeral: true })
    expect(await first.stop()).toBe(0)
    expect(existsSync(place.dir)).toBe(false)
  })

  test.skipIf(process.platform !== 'linux')('goes on where its directory was moved to while it lived, once nobody uses it', async () => {
    await using place = createPlace()
    await using elsewhere = createPlace()
    const first = await place.start()
    await ask(first.url, 'create table kept as select 1 as n')
    const pid = livePid(place.dir)
    renameSync(place.dir, elsewhere.dir)
    await expect(startEmbeddedPostgres({ dir: elsewhere.dir })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining(`${join(place.dir, 'data')}, which was moved since, and another process still uses it`),
    })
    expect(isAlive(pid)).toBe(true)
    await first.kill()
    const second = await elsewhere.start()
    await gone(pid)
    expect(await ask(second.url, 'select n from kept')).toEqual([{ n: 1 }])
  })

  test('can be stopped twice', async () => {
    await using place = createPlace()
    const postgres = await startEmbeddedPostgres({ dir: place.dir })
    const pid = livePid(place.dir)
    await Promise.all([postgres.stop(), postgres.stop()])
    await postgres.stop()
    // Its parent may not have taken notice of its end yet.
    await expect.poll(() => isAlive(pid)).toBe(false)
  })
})
