import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Place } from '../../../../src/store/postgres/embedded/cluster.ts'
import { guardServer, holdServer } from '../../../../src/store/postgres/embedded/guard.ts'
import { createPlace, noneLeft, processesOf } from '../../../support/database/postgres-process.ts'

/** Of the end that is asked for here it has a code; any other signal kills it. */
const STAY = `process.on('SIGTERM', () => process.exit(7)); console.log('here'); setInterval(() => {}, 60_000)`

/** A process with these arguments that stands in the data of a directory. */
async function startProcess(argumentsOf: (data: string) => string[], name = 'postgres') {
  const somewhere = createPlace(name)
  onTestFinished(() => somewhere[Symbol.asyncDispose]())
  const { dir } = somewhere
  const data = join(dir, 'data')
  mkdirSync(data, { recursive: true })
  const child = spawn(process.execPath, ['-e', STAY, '--', ...argumentsOf(data)], { cwd: data, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  await once(child.stdout, 'data')
  const place: Place = { dir, data, bin: '', user: {} }
  return { place, pid: child.pid ?? 0, child, ended }
}

const asServer = (data: string) => ['-D', data, '-c', 'port=5432']
const guardsOf = ({ dir }: Place) => processesOf(dir, 'guard.heard')

describe.skipIf(process.platform !== 'linux')('the guard of an embedded server', () => {
  test.each(['postgres', 'with a space', 'größer 🌙', 'it\'s $HOME `x` "*" [a]', 'x'.repeat(250)])(
    'ends the server in %s',
    async (name) => {
      const { place, pid, ended } = await startProcess(asServer, name)
      guardServer(place, pid).release()
      expect(await ended).toEqual([null, 'SIGINT'])
      await noneLeft(place.dir)
    },
  )

  test.each<[string, (data: string) => string[]]>([
    ['looks at the data', (data) => [data]],
    ['serves a copy of the data', (data) => asServer(`${data}-copy`)],
    ['serves what is in the data', (data) => asServer(join(data, 'data'))],
    ['does something else', () => []],
  ])('leaves alone a process that has the id by now and %s', async (_, argumentsOf) => {
    const { place, pid, child, ended } = await startProcess(argumentsOf)
    const hold = guardServer(place, pid)
    expect(guardsOf(place)).toHaveLength(1)
    hold.release()
    await expect.poll(() => guardsOf(place)).toEqual([])
    child.kill('SIGTERM')
    expect(await ended).toEqual([7, null])
  })

  test('that is about to end its server is believed at once by a process that comes', async () => {
    const { place, pid } = await startProcess(asServer)
    const pipe = join(place.dir, 'guard.pipe')
    execFileSync('mkfifo', [pipe])
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
    onTestFinished(() => closeSync(reader))
    writeFileSync(join(place.dir, 'guard.heard'), `ending ${pid}\n`)
    expect(await holdServer(place, pid)).toBeUndefined()
  })
})
