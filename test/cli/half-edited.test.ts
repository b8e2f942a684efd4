import type { Command } from 'commander'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { createProgram } from '../../src/cli/program.ts'
import { listPauses } from '../../src/store/schedules/pauses.ts'
import { buildTestApp, type TestApp } from '../support/app/test-app.ts'
import { command, type Ended } from '../support/cli/command.ts'
import { JOB, statusOf } from '../support/cli/operators.ts'
import { aTerminal } from '../support/cli/terminal.ts'

/** Every command that does something, with the words that name it. */
const leaves = (parent: Command, path: readonly string[] = []): string[] =>
  parent.commands.flatMap((one) => {
    const words = [...path, one.name()]
    return one.commands.length === 0 ? [words.join(' ')] : [words.join(' '), ...leaves(one, words)]
  })
const all = leaves(await createProgram([], aTerminal(), () => {})).filter((words) => words !== 'complete')

/** They stop things, or say how they stand: the store is all that they need. With what else each wants on its line. */
const GO_ON: Readonly<Record<string, readonly string[]>> = {
  status: [],
  runs: [],
  show: ['latest'],
  logs: ['latest'],
  watch: [],
  acts: [],
  spend: [],
  cancel: ['latest'],
  pause: ['act', '-r', 'moved'],
  drain: ['-r', 'moved'],
  resume: ['--all'],
}

/** They act on what the file says. */
const REFUSE: Readonly<Record<string, readonly string[]>> = {
  start: [],
  doctor: [],
  jobs: [],
  'jobs check': [],
  'jobs pin': ['act'],
  models: [],
  schedules: [],
  'schedules backfill': ['act', '--from', '1d', '--yes'],
  eval: ['act'],
  'eval record': ['latest'],
  run: ['act'],
  retry: ['latest'],
  backup: ['file'],
  restore: ['file'],
  prune: [],
  'account list': [],
  'account create': ['reports', '--user', 'svc-reports'],
  'account rotate': ['reports'],
  'account delete': ['reports'],
  connect: ['labor', '--account', 'reports'],
  disconnect: ['labor', '--account', 'reports'],
  'api-tokens': [],
  'audit import': ['file'],
  'audit follow': ['file'],
  'audit report': [],
  'audit acknowledge': ['reports', '-r', 'known'],
  'evidence export': ['latest'],
  'evidence verify': ['--store'],
  'evidence checkpoint': [],
  'evidence key create': [],
  'evidence key show': [],
  'evidence key rotate': [],
  'evidence key introduce': ['file'],
  'evidence key retire': ['file'],
}

/** They read another file, or none, or have others below them. */
const OTHERS = [
  'demo',
  'init',
  'completion',
  'compose-init',
  'dev',
  'test',
  'api-token',
  'minter',
  'account',
  'audit',
  'evidence',
  'evidence key',
]

test('each command goes on, refuses, or reads no configuration', () => {
  const named = [...Object.keys(GO_ON), ...Object.keys(REFUSE), ...OTHERS]
  expect(all.filter((words) => !named.includes(words))).toEqual([])
  expect(named.filter((words) => !all.includes(words))).toEqual([])
})

const UNSET = 'a variable that is not set'
const FAULTS: readonly (readonly [what: string, write: (config: Record<string, unknown>) => string, said: RegExp])[] = [
  ['an unknown key', (config) => `wrong: 1\n${stringify(config)}`, /bad\.yaml:1: wrong /],
  ['a duration out of its range', (config) => `worker: { lockTimeout: 0s }\n${stringify({ ...config, worker: undefined })}`, /bad\.yaml:1: worker\.lockTimeout /],
  [UNSET, (config) => `log: { level: "\${NOT_SET_ANYWHERE}" }\n${stringify({ ...config, log: undefined })}`, /bad\.yaml:1: .*NOT_SET_ANYWHERE/],
] // prettier-ignore

describe('a configuration file that is half edited', () => {
  const stack = new AsyncDisposableStack()
  let testApp: TestApp
  let run: (words: string, args: readonly string[]) => Promise<Ended>
  let write: (text: (config: Record<string, unknown>) => string) => void
  let id: string

  beforeAll(async () => {
    testApp = stack.use(await buildTestApp({ jobs: { act: JOB }, scripts: { scripted: 'say done' } }))
    id = (await testApp.run('act')).id
    const file = join(testApp.world.configFile, '..', 'bad.yaml')
    const config = z.record(z.string(), z.unknown()).parse(parse(readFileSync(testApp.world.configFile, 'utf8')))
    write = (text) => writeFileSync(file, text(config))
    // What would go on until Ctrl-C looks once.
    run = (words, args) => command(['-c', file, ...words.split(' '), ...args], words === 'watch' ? { signal: AbortSignal.abort() } : {})
  })
  afterAll(() => stack.disposeAsync())

  describe.each(FAULTS)('with %s', (what, text, said) => {
    beforeAll(() => write(text))
    test.each(Object.entries(GO_ON))('%s goes on, and says what is wrong', async (words, args) => {
      const { code, out, err } = await run(words, args)
      expect(err).toMatch(said)
      expect(err).toContain('is what nightshift start read last')
      if (words !== 'watch') expect(out).not.toBe('')
      expect(code).toBe(words === 'status' ? 1 : 0)
    })
    test.each(Object.entries(REFUSE).filter(([words]) => words !== 'jobs check' || what !== UNSET))(
      '%s refuses, and says why',
      async (words, args) => {
        const { code, out, err } = await run(words, args)
        expect(code).not.toBe(0)
        expect(out + err).toMatch(said)
        expect(out + err).not.toMatch(/\n [A-Z]/)
      },
    )
  })

  test('what they did is done', async () => {
    expect(await listPauses(testApp.app.db)).toMatchObject([{ job: 'act' }])
    expect(await statusOf(testApp, id)).toBe('succeeded')
  })

  test.each<[what: string, text: (config: Record<string, unknown>) => string]>([
    ['is misspelt', (config) => stringify({ ...config, databaseUrl: undefined, databaseURI: config['databaseUrl'] })],
    ['stands below another key', (config) => stringify({ ...config, databaseUrl: undefined, log: { databaseUrl: config['databaseUrl'] } })],
    ['uses a variable that is not set', (config) => stringify({ ...config, databaseUrl: '${NOT_SET_ANYWHERE}' })],
    ['is no address', (config) => stringify({ ...config, databaseUrl: 'mysql://somewhere' })],
    [
      'is taken out, and no store is where it would be then',
      (config) => `wrong: 1\n${stringify({ ...config, databaseUrl: undefined, dataDir: 'none-yet' })}`,
    ],
    ['is in a file that is no YAML', (config) => `${stringify(config)}\n  broken: [`],
  ])('refuses to guess the store where its address %s', async (_, text) => {
    write(text)
    const { code, out, err } = await run('drain', ['-r', 'moved'])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^CONFIG_INVALID .*bad\.yaml:\d+: /s)
    expect(existsSync(join(testApp.world.configFile, '..', 'none-yet'))).toBe(false)
  })

  test('a file that names the store alone is enough', async () => {
    write(({ databaseUrl }) => stringify({ databaseUrl }))
    expect(await run('show', ['latest'])).toMatchObject({ code: 0, out: expect.stringContaining(id) })
  })
})

describe('a job file with a fault', () => {
  const stack = new AsyncDisposableStack()
  let testApp: TestApp
  let run: (words: string, args: readonly string[]) => Promise<Ended>
  beforeAll(async () => {
    testApp = stack.use(await buildTestApp({ jobs: { act: JOB }, scripts: { scripted: 'say done' } }))
    await testApp.run('act')
    writeFileSync(join(testApp.dir, 'jobs', 'act.yaml'), 'prompt: 7\n')
    run = (words, args) => command(['-c', testApp.world.configFile, ...words.split(' '), ...args])
  })
  afterAll(() => stack.disposeAsync())

  test.each(Object.entries(GO_ON).filter(([words]) => words !== 'watch'))('%s goes on', async (words, args) => {
    const { code, out } = await run(words, args)
    expect(out).not.toBe('')
    expect(code).toBe(words === 'status' ? 1 : 0)
  })
  test.each(['start', 'doctor', 'jobs', 'jobs check', 'run'] as const)('%s refuses, and says why', async (words) => {
    const { code, out, err } = await run(words, words === 'run' ? ['act'] : [])
    expect(code).not.toBe(0)
    expect(out + err).toMatch(/act\.yaml:1: /)
  })
  test('pause knows a job by its runs when its file is gone, and says which jobs there are when there is neither', async () => {
    writeFileSync(join(testApp.dir, 'jobs', 'other.yaml'), 'prompt: 7\n')
    expect(await run('pause', ['others', '-r', 'moved'])).toMatchObject({ code: 2, err: expect.stringMatching(/^JOB_UNKNOWN .*other/) })
    expect(await run('pause', ['other', '-r', 'moved'])).toMatchObject({ code: 0 })
  })
})
