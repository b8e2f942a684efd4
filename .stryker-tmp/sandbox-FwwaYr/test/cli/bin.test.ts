// @ts-nocheck
import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { program } from '../support/cli/command.ts'

/** A Node on this machine that is too old, if there is one. */
const oldNode = ['/usr/local/bin/node', '/usr/bin/node'].find((node) => {
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  return status === 0 && Number(stdout.slice(1).split('.')[0]) < 24
})

describe('the program', () => {
  test.skipIf(oldNode === undefined)('says in one line what an old Node lacks', async () => {
    const { code, out, err } = await program(['runs'], { node: oldNode ?? '' }).ended
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^nightshift needs Node 24 or newer and this is v\d[^\n]*\n$/)
  })

  test('ends with the exit code of its command, and writes no colors where there is no terminal', async () => {
    const unknown = await program(['nonsense']).ended
    expect(unknown).toMatchObject({ code: 2, out: '', err: "error: unknown command 'nonsense'\n" })
    const { code, out, err } = await program(['-c', '/nowhere/nightshift.yaml', 'runs']).ended
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^CONFIG_INVALID There is no configuration file \/nowhere\/nightshift.yaml\./)
  })

  test('ends quietly when its reader goes away', async () => {
    const { child, ended } = program(['--help'])
    child.stdout?.destroy()
    expect(await ended).toMatchObject({ code: 0, err: '' })
  })
})
