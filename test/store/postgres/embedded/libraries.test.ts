import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { areRight, linksOf, mendLinks } from '../../../../src/store/postgres/embedded/libraries.ts'

const LINKS = [
  { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so' },
  { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' },
]
const WAY = 'libpq.so.5.18'

/** A package of Postgres with one library, as npm unpacks it. */
function createPackage() {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-libraries-'))
  const root = join(dir, 'package')
  const lib = join(root, 'native', 'lib')
  mkdirSync(lib, { recursive: true })
  writeFileSync(join(root, LINKS[0]?.source ?? ''), 'the library')
  writeFileSync(join(root, 'native', 'pg-symlinks.json'), JSON.stringify(LINKS))
  return { dir, root, lib, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) }
}

const namesIn = (lib: string) => readdirSync(lib).toSorted()

describe('the names of libraries', () => {
  test.each<[string, (name: string, other: string) => void]>([
    ['is missing', () => {}],
    ['leads to where the checkout was', (name) => symlinkSync('/nowhere/native/lib/libpq.so.5.18', name)],
    ['leads to another checkout, which lives', (name, other) => symlinkSync(other, name)],
    ['leads to itself', (name) => symlinkSync(name, name)],
    ['leads to another library', (name) => symlinkSync('libpq.so.4', name)],
  ])('a name that %s is put right, relative', (_, spoil) => {
    using place = createPackage()
    const other = join(place.dir, 'other')
    writeFileSync(other, 'a library')
    spoil(join(place.lib, 'libpq.so'), other)
    expect(areRight(place.root, linksOf(place.root))).toBe(false)
    mendLinks(place.root, LINKS)
    expect(areRight(place.root, LINKS)).toBe(true)
    for (const name of ['libpq.so', 'libpq.so.5']) expect(readlinkSync(join(place.lib, name))).toBe(WAY)
    expect(namesIn(place.lib)).toEqual(['libpq.so', 'libpq.so.5', WAY])
  })

  test('are right after a move and after a copy', () => {
    using place = createPackage()
    mendLinks(place.root, LINKS)
    const [moved, copied] = [join(place.dir, 'moved'), join(place.dir, 'copied')]
    cpSync(place.root, copied, { recursive: true, verbatimSymlinks: true })
    renameSync(place.root, moved)
    for (const root of [moved, copied]) expect(areRight(root, LINKS)).toBe(true)
  })

  test('may be the library itself, as a copy that follows links has it', () => {
    using place = createPackage()
    for (const { target } of LINKS) writeFileSync(join(place.root, target), 'the library')
    expect(areRight(place.root, LINKS)).toBe(true)
    mendLinks(place.root, LINKS)
    expect(lstatSync(join(place.lib, 'libpq.so')).isSymbolicLink()).toBe(false)
    expect(readFileSync(join(place.lib, 'libpq.so'), 'utf8')).toBe('the library')
  })

  test('that were put right are left alone', () => {
    using place = createPackage()
    mendLinks(place.root, LINKS)
    const inode = lstatSync(join(place.lib, 'libpq.so')).ino
    mendLinks(place.root, LINKS)
    expect(lstatSync(join(place.lib, 'libpq.so')).ino).toBe(inode)
  })
})
