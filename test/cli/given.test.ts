import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseTime } from '../../src/cli/options/time.ts'
import { createProgram } from '../../src/cli/program.ts'
import { buildTestApp, type TestApp } from '../support/app/test-app.ts'
import { command } from '../support/cli/command.ts'
import { at, SCHEDULED } from '../support/cli/operators.ts'
import { aTerminal } from '../support/cli/terminal.ts'

/** Every command, with the words that name it. */
function commandsBelow(parent: Command, path: readonly string[] = []): { words: readonly string[]; command: Command }[] {
  return parent.commands.flatMap((one) => [{ words: [...path, one.name()], command: one }, ...commandsBelow(one, [...path, one.name()])])
}
const all = commandsBelow(await createProgram([], aTerminal(), () => {}))

describe('what a person gives means the same in every command', () => {
  const stack = new AsyncDisposableStack()
  let testApp: TestApp
  beforeAll(async () => {
    testApp = stack.use(await buildTestApp({ jobs: { act: SCHEDULED } }))
  })
  afterAll(() => stack.disposeAsync())

  const takeRun = all.filter(({ command: one }) => one.registeredArguments.some((argument) => argument.name() === 'run'))
  test.each(takeRun.map(({ words }) => words.join(' ')))('%s takes latest, and a part of an id', async (words) => {
    const run = (id: string) => command(at(testApp, ...words.split(' '), id))
    expect(await run('latest')).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/^RUN_UNKNOWN There are no runs yet\./) })
    expect(await run('…0efbde04')).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/^RUN_UNKNOWN There is no run …0efbde04\./),
    })
  })
  test('such are', () => {
    expect(takeRun.map(({ words }) => words.join(' ')).toSorted()).toEqual([
      'cancel', 'eval record', 'evidence export', 'logs', 'retry', 'show',
    ]) // prettier-ignore
  })

  /** What else a command with a time needs. */
  const NEEDS: Readonly<Record<string, readonly string[]>> = {
    'schedules backfill': ['act', '--from', '2026-11-01', '--dry-run'],
    retry: ['--dry-run'],
    cancel: ['--dry-run'],
  }
  const times = all.flatMap(({ words, command: one }) =>
    one.options.flatMap(({ parseArg, long }) => (parseArg === parseTime && long !== undefined ? [[words.join(' '), long] as const] : [])),
  )
  test.each(times)('%s %s says what it understood, and refuses what could be anything', async (words, option) => {
    const run = (time: string) =>
      command(at(testApp, ...words.split(' '), ...(NEEDS[words] ?? []), option, time), { signal: AbortSignal.abort() })
    const { err, code } = await run('2026-11-24')
    expect(err).toContain(`${option} is 2026-11-24T00:00:00Z.`)
    expect(code).toBe(0)
    expect((await run('2026-11-24T08:00:00+01:00')).err).toContain(`${option} is 2026-11-24T07:00:00Z.`)
    expect((await run('2h')).err).toMatch(new RegExp(`^${option} is \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z\\.$`, 'm'))
    for (const loose of ['6', '03/04/2026']) expect(await run(loose)).toMatchObject({ code: 2, out: '' })
  })
  test('each of these commands lets runs be meant by a time', () => {
    expect(new Set(times.map(([words]) => words))).toEqual(
      new Set(['acts', 'runs', 'watch', 'retry', 'cancel', 'schedules backfill', 'audit report']),
    )
  })
})
