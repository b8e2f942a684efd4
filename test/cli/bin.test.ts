import { spawnSync } from 'node:child_process'
import { describe, expect, onTestFinished, test } from 'vitest'
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

  test.each([
    { what: 'a short command', args: ['--help'] },
    { what: 'start', args: ['-c', '/nowhere/nightshift.yaml', 'start'] },
    ...(oldNode === undefined ? [] : [{ what: 'what an old Node is told', args: ['start'], node: oldNode }]),
  ])('$what opens no inspector, in which its tokens can be read, for whoever may signal it', async ({ args, node }) => {
    // It stays when its work is done, and says at SIGUSR2 whether its inspector is open.
    const stays = `
      import inspector from 'node:inspector'
      setInterval(() => {}, 1000)
      process.on('SIGUSR2', () => console.log('inspector ' + inspector.url()))
      const looking = setInterval(() => {
        if (process.listenerCount('SIGUSR1') === 0) return
        clearInterval(looking)
        console.log('begun')
      }, 5)` // the main module may be loaded after the first timers
    const options = `--inspect-port=127.0.0.1:0 --import=data:text/javascript,${encodeURIComponent(stays)}`
    const { child, out, ended } = program(args, { env: { NODE_OPTIONS: options }, ...(node !== undefined && { node }) })
    onTestFinished(() => void child.kill('SIGKILL'))
    await expect.poll(() => out().split('begun').length, { timeout: 20_000 }).toBeGreaterThan(1)
    for (let n = 1; n <= 20; n++) {
      child.kill('SIGUSR1')
      child.kill('SIGUSR2')
      await expect.poll(() => out().split('inspector ').length, { timeout: 20_000 }).toBeGreaterThan(n)
    }
    child.kill('SIGKILL')
    const { err } = await ended
    expect(out()).not.toContain('inspector ws:')
    expect(err).not.toContain('Debugger')
  })

  test('ends quietly when its reader goes away', async () => {
    const { child, ended } = program(['--help'])
    child.stdout?.destroy()
    expect(await ended).toMatchObject({ code: 0, err: '' })
  })
})
