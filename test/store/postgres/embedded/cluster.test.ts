import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findBinaries } from '../../../../src/store/postgres/embedded/binaries.ts'
import { NOBODY, openCluster, type Place } from '../../../../src/store/postgres/embedded/cluster.ts'
import { makeTraversable } from '../../../../src/store/postgres/embedded/traversable.ts'
import { createPlace, type PostgresPlace } from '../../../support/database/postgres-process.ts'

const asNobody = process.getuid?.() === 0

function placeIn({ dir }: PostgresPlace): Place {
  makeTraversable(dir)
  const bin = join(findBinaries({ asNobody, beside: dir }), 'bin')
  return { dir, data: join(dir, 'data'), bin, user: asNobody ? { uid: NOBODY, gid: NOBODY } : {} }
}

const filesIn = (dir: string) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()

test('each file of the directory removed in turn, no other goes with it', async () => {
  await using root = createPlace()
  const place = placeIn(root)
  const { settings } = await openCluster(place)
  const files = filesIn(place.dir)
  expect(files.length).toBeGreaterThan(900)
  const aside = join(place.dir, '..', 'aside')
  const made: string[] = []
  for (const file of files) {
    renameSync(file, aside)
    const opened = await openCluster(place).catch((error: unknown) => error)
    expect(opened).toEqual({ settings, isNew: false })
    // Only our own settings are made again; the database is not touched.
    if (existsSync(file)) made.push(file)
    renameSync(aside, file)
  }
  expect(filesIn(place.dir)).toEqual(files)
  expect(made).toEqual([join(place.data, 'nightshift.json'), join(place.dir, 'settings.json')])
})

test.each([
  [
    'of the database',
    (place: Place) => rmSync(place.data, { recursive: true }),
    /settings\.json is there, and .*data with the database is missing/,
  ],
  [
    'of all settings',
    (place: Place) => [join(place.dir, 'settings.json'), join(place.data, 'nightshift.json')].forEach((file) => rmSync(file)),
    /data holds a database, and .*settings\.json with its password is missing/,
  ],
  ['of the text of the settings', (place: Place) => writeFileSync(join(place.dir, 'settings.json'), ''), /settings\.json cannot be read/],
] as const)('the loss %s is told with its cure, and nothing is made in its place', async (_, lose, message) => {
  await using root = createPlace()
  const place = placeIn(root)
  await openCluster(place)
  lose(place)
  const left = filesIn(place.dir)
  await expect(openCluster(place)).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringMatching(message),
    cure: expect.stringContaining('move the whole directory away'),
  })
  expect(filesIn(place.dir)).toEqual(left)
})

test.each([
  ['before it had its settings', () => {}],
  ['before it had its name', (place: Place) => writeFileSync(join(place.dir, 'settings.json'), '{"password":"of then"}')],
] as const)('a cluster whose making was cut off %s is made anew', async (_, more) => {
  await using root = createPlace()
  const place = placeIn(root)
  mkdirSync(join(place.dir, 'data.new', 'base'), { recursive: true })
  writeFileSync(join(place.dir, 'data.new', 'PG_VERSION'), '18\n')
  more(place)
  expect(await openCluster(place)).toMatchObject({ isNew: true })
  expect([existsSync(join(place.dir, 'data.new')), statSync(place.data).mode & 0o777]).toEqual([false, 0o700])
})
