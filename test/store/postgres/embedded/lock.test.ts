import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { lockDirectory } from '../../../../src/store/postgres/embedded/lock.ts'

function createDirectory() {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-lock-'))
  return { dir, file: join(dir, 'starting.lock'), [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) }
}

describe('the lock of a directory that is being prepared', () => {
  test.each([
    ['a process that is dead', '4194303 1'],
    // In a container each start has the same process ids.
    ['an earlier process with our own id', `${process.pid} 1`],
    // For an ordinary user it is a program that cannot be signalled, and lives.
    ['an earlier process whose id a program of another user has now', '1 1'],
    ['a process that wrote no start time', '1'],
    ['a process that was killed before it wrote its id', ''],
  ])('that %s left is taken over', async (_, content) => {
    using place = createDirectory()
    writeFileSync(place.file, content)
    const release = await lockDirectory(place.dir)
    expect(readFileSync(place.file, 'utf8').split(' ')[0]).toBe(String(process.pid))
    release()
    expect(existsSync(place.file)).toBe(false)
  })

  test('is held by one at a time, also when all of twenty find the lock of a dead process', async () => {
    using place = createDirectory()
    writeFileSync(place.file, '4194303 1')
    let inside = 0
    const most: number[] = []
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const release = await lockDirectory(place.dir)
        most.push(++inside)
        await new Promise((done) => setImmediate(done))
        inside--
        release()
      }),
    )
    expect(most).toEqual(Array.from({ length: 20 }, () => 1))
  })
})
