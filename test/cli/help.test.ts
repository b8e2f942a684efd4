import { describe, expect, test } from 'vitest'
import { command } from '../support/cli/command.ts'

const COMMANDS = [
  [], ['start'], ['status'], ['run'], ['runs'], ['show'], ['logs'], ['watch'], ['completion'], ['retry'], ['cancel'], ['models'], ['jobs'], ['jobs', 'check'], ['jobs', 'pin'], ['schedules'],
  ['schedules', 'backfill'], ['doctor'], ['pause'], ['drain'], ['resume'], ['prune'], ['audit'], ['audit', 'import'], ['audit', 'follow'],
  ['audit', 'report'], ['audit', 'acknowledge'], ['evidence'], ['evidence', 'export'], ['evidence', 'verify'], ['evidence', 'checkpoint'], ['evidence', 'key'], ['evidence', 'key', 'create'],
  ['evidence', 'key', 'show'], ['evidence', 'key', 'rotate'], ['evidence', 'key', 'introduce'], ['evidence', 'key', 'retire'], ['account'], ['account', 'create'],
  ['account', 'list'], ['account', 'rotate'], ['account', 'delete'], ['connect'], ['disconnect'], ['minter'], ['api-token'], ['api-tokens'], ['demo'],
] // prettier-ignore

describe('help in 80 columns', () => {
  test.each(COMMANDS.map((words) => ({ words, name: ['nightshift', ...words].join(' ') })))('$name', async ({ words }) => {
    const { code, out, err } = await command([...words, '--help'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^Usage: nightshift/)
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  test('puts every command under what it is for', async () => {
    const { out } = await command(['--help'])
    const headings = out.split('\n').filter((line) => /^[A-Z][\w ]*:$/.test(line))
    expect(headings).toEqual(['Options:', 'Begin:', 'Jobs:', 'Runs:', 'Hold and tidy:', 'Access:', 'Audit:', 'Commands:'])
    // Under the last one is the help itself alone.
    expect(out.slice(out.indexOf('Commands:')).split('\n\n')[0]).toMatch(/^Commands:\n +help \[command\] +\S.*$/)
  })

  test('names every command', async () => {
    const { out } = await command(['--help'])
    for (const [name] of COMMANDS) if (name !== undefined) expect(out).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'))
  })
})
