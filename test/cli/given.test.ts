import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseTime } from '../../src/cli/options/time.ts'
import { createProgram } from '../../src/cli/program.ts'
import { createRun } from '../../src/runs/create.ts'
import { buildTestApp, type TestApp } from '../support/app/test-app.ts'
import { command } from '../support/cli/command.ts'
import { at, SCHEDULED, statusOf } from '../support/cli/operators.ts'
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
      new Set(['acts', 'runs', 'spend', 'watch', 'retry', 'cancel', 'schedules backfill', 'audit report']),
    )
  })

  /** A slip in each kind of name by which a list or an act is narrowed, and what is said. */
  const SLIPS: Readonly<Record<string, { slip: string; said: RegExp }>> = {
    '--job': { slip: 'atc', said: /^JOB_UNKNOWN There is no job atc, and no run of one\. Did you mean act\?$/m },
    '--run': { slip: 'run_nothing', said: /^RUN_UNKNOWN There is no run run_nothing\./m },
    '--by': { slip: 'alcie', said: /^FILTER_INVALID Nobody of the name alcie .*\. Did you mean alice\?$/m },
    '--tool': {
      slip: 'labor.qeury',
      said: /^FILTER_INVALID No run called labor\.qeury, and no job that can be read allows it\. Did you mean labor\.query\?$/m,
    },
    '--tag': { slip: 'team=biling', said: /^(?:FILTER_INVALID )?No run has the tag team=biling\. Did you mean team=billing\?$/m },
    '--code': { slip: 'DEADLNIE', said: /did you mean DEADLINE\?/ },
    '--status': { slip: 'faild', said: /There are queued, running/ },
    '--account': { slip: 'reprots', said: /^FILTER_INVALID There is no account reprots .*\. Did you mean reports\?$/m },
  }
  /** Words that a run has or has not, of which none is wrong; cases, which `eval` looks for in a folder; and what a token is for, which is no filter. */
  const FREE: readonly string[] = ['--text', '--case', '--jobs']
  const filters = all.flatMap(({ words, command: one }) =>
    one.options.flatMap(({ long, required, description, parseArg }) =>
      long !== undefined && required && description.startsWith('only ') && parseArg !== parseTime && !FREE.includes(long)
        ? [[words.join(' '), long] as const]
        : [],
    ),
  )
  test.each(filters)('%s %s says of a name that nothing has which one was meant, and does nothing', async (words, option) => {
    const { app } = testApp
    const job = app.jobs.jobs().get('act')
    if (!job) throw new Error('no job act')
    const id = await createRun(app.db, job, { trigger: { kind: 'cli' }, requestedBy: 'alice', tags: { team: 'billing' } })
    const { slip, said } = SLIPS[option] ?? { slip: '', said: /^no slip of it is tried$/ }
    const acts = ['cancel', 'retry'].includes(words) ? ['--yes'] : []
    // A list takes any tag, and tells that no run has it.
    const isTold = acts.length === 0 && option === '--tag'
    const signal = isTold ? AbortSignal.abort() : undefined
    const { code, out, err } = await command(at(testApp, ...words.split(' '), ...acts, option, slip), signal && { signal })
    expect(code).toBe(isTold ? 0 : 2)
    expect(out).toMatch(isTold ? /^(?:There are no runs tagged team=biling\.)?$/ : /^$/)
    expect(err).toMatch(said)
    expect(err).not.toContain('would')
    expect(await statusOf(testApp, id)).toBe('queued')
  })
  test('each of these commands has such filters', () => {
    expect(new Set(filters.map(([words]) => words))).toEqual(new Set(['acts', 'runs', 'spend', 'watch', 'retry', 'cancel', 'audit report']))
  })
})
