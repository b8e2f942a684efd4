import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandsFor } from '../../src/cli/commands.ts'
import { query } from '../../src/store/postgres/db.ts'
import { withFailures } from '../support/cli/operators.ts'
import { openScreen } from '../support/cli/screen.ts'
import { aTerminal } from '../support/cli/terminal.ts'
import { openGate, type Gate } from '../support/net/gate.ts'

/** What a command line may name. */
interface Given {
  failed: string
  green: string
  log: string
}

const FOLLOWS = 'it ends in order, in a test of its own'
const FILES = 'it reads and writes files alone'
const EMBEDDED = 'it asks an embedded store alone'
const OUTSIDE = 'it asks others than the store: test/cli/interrupt-outside.test.ts'

/** Where a person comes back to. */
const BACK = ['--redirect', 'https://nightshift.example.com/.pomerium/mcp/connected']

/** Each command: words that make it ask the store, or why there are none. */
const COMMANDS: Record<string, ((given: Given) => string[]) | string> = {
  demo: FOLLOWS,
  init: FILES,
  'compose-init': FILES,
  completion: FILES,
  complete: FILES,
  backup: EMBEDDED,
  restore: EMBEDDED,
  doctor: () => [],
  start: () => ['--only', 'api'],
  models: FILES,
  'jobs check': FILES,
  'jobs pin': () => ['act'],
  dev: FOLLOWS,
  test: FOLLOWS,
  'schedules backfill': () => ['act', '--from', '1d', '--dry-run'],
  eval: FOLLOWS,
  'eval record': ({ green }) => [green],
  status: () => [],
  spend: () => [],
  run: () => ['act', '--follow'],
  runs: () => [],
  show: ({ failed }) => [failed],
  logs: ({ failed }) => [failed],
  watch: () => [],
  retry: ({ failed }) => [failed],
  cancel: () => ['--job', 'act', '--yes'],
  pause: () => ['act', '--reason', 'a test'],
  drain: () => ['--reason', 'a test'],
  resume: () => ['act'],
  prune: () => ['--dry-run'],
  'account create': OUTSIDE,
  'account list': OUTSIDE,
  'account rotate': OUTSIDE,
  'account delete': OUTSIDE,
  connect: () => ['labor', '--account', 'reports', ...BACK],
  disconnect: () => ['labor', '--account', 'reports'],
  minter: FOLLOWS,
  'api-token': FILES,
  'api-tokens': () => [],
  acts: () => [],
  'audit import': ({ log }) => [log],
  'audit follow': FOLLOWS,
  'audit report': () => [],
  'audit acknowledge': () => ['reports', '--reason', 'a test'],
  'evidence export': ({ green }) => [green],
  'evidence verify': () => ['--store'],
  'evidence checkpoint': () => [],
  'evidence key create': FILES,
  'evidence key show': FILES,
  'evidence key rotate': FILES,
  'evidence key introduce': FILES,
  'evidence key retire': FILES,
}

/** After so many messages to the store it falls silent: each of the first ones, then some of the others. After so many as the last every command has done what it does. */
const AFTER = [0, 1, 2, 3, 5, 8, 13, 21, 34, 60]

let made: Awaited<ReturnType<typeof withFailures>>
beforeAll(async () => {
  made = await withFailures()
  // What is queued from now on stays so.
  await made.testApp.app.worker.stop()
})
afterAll(() => made.testApp[Symbol.asyncDispose]())

/** The commands that do something, with the words that lead to them. */
function leaves(command: Command, path: readonly string[] = []): string[] {
  const below = command.commands.flatMap((one) => leaves(one, [...path, one.name()]))
  return below.length > 0 && command.registeredArguments.length === 0 ? below : [...below, path.join(' ')]
}

test('each command stands in the table', async () => {
  const program = new Command('nightshift')
  for (const [, adds] of await commandsFor(['help'])) for (const add of adds) add(program, aTerminal(), () => {})
  // Of those with commands below: what they do by themselves is the same as one of these does, or reads files alone.
  expect(leaves(program).toSorted()).toEqual(Object.keys(COMMANDS).toSorted())
})

/** The address of a database for a client of `connect`, and the same database behind another port. */
function behind(url: string) {
  const address = new URL(url)
  const host = decodeURIComponent(address.hostname)
  const port = Number(address.port || 5432)
  const target = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port }
  return { target, at: (gate: Gate) => url.replace(address.host, `127.0.0.1:${gate.port}`) }
}

/** Ctrl-C once the store has fallen silent after so many messages: the exit code, or that the command was over before. */
async function interruptAfter(messages: number, name: string): Promise<number | 'over'> {
  const { testApp, failed, green } = made
  const words = COMMANDS[name]
  if (typeof words !== 'function') throw new Error(`${name} does not ask the store`)
  const { target, at } = behind(testApp.database.url)
  await using gate = await openGate(target, messages)
  const configFile = join(testApp.dir, `${name.replaceAll(' ', '-')}-${messages}.yaml`)
  const text = readFileSync(testApp.world.configFile, 'utf8')
  writeFileSync(configFile, text.replace(/databaseUrl: .*/, `databaseUrl: ${at(gate)}`))
  const given = { failed: failed[0] ?? '', green, log: testApp.world.logFile }
  const screen = openScreen(['-c', configFile, ...name.split(' '), ...words(given)])
  const first = await Promise.race([gate.silent.then(() => 'silent' as const), screen.ended.then(() => 'over' as const)])
  screen.interrupt()
  const code = await screen.ended
  return first === 'silent' ? code : 'over'
}

describe('one Ctrl-C ends the command, at whichever of its questions the store falls silent:', () => {
  test.for(Object.keys(COMMANDS).filter((name) => typeof COMMANDS[name] === 'function'))('%s', async (name) => {
    // What starts ends in order once it is at work.
    const after = name === 'start' ? AFTER.slice(0, 3) : AFTER
    const ends = await Promise.all(after.map(async (messages) => [messages, await interruptAfter(messages, name)] as const))
    expect(ends[0]).toEqual([0, 130])
    expect(ends.filter(([, end]) => end !== 130 && end !== 'over')).toEqual([])
  })
})

test('after all of them no act is half done', async () => {
  const { db } = made.testApp.app
  const acts = await query<{ act: string }>(db, 'select distinct act from acts order by 1')
  expect(acts.map(({ act }) => act)).toEqual(expect.arrayContaining(['cancel', 'pause', 'resume', 'retry']))
  const halves = {
    'an act with other runs than it counts': 'select id from acts a where runs <> (select count(*) from run_acts where act_id = a.id)',
    'a pause that nobody made': "select job from pauses p where not exists (select from acts where act = 'pause' and p.job = any(jobs))",
    'a pause or its end that had no effect': `select job from (
        select distinct on (job) job, act from acts, unnest(jobs) as job where act in ('pause', 'resume') order by job, at desc) last
      where (act = 'pause') <> exists (select from pauses where pauses.job = last.job)`,
    'a retry that nobody asked for':
      "select id from runs r where conversation > 1 and not exists (select from run_acts join acts on acts.id = act_id where run_id = r.id and act = 'retry')",
    'a cancel that nobody asked for':
      "select id from runs r where cancel_requested_at is not null and not exists (select from run_acts join acts on acts.id = act_id where run_id = r.id and act = 'cancel')",
  }
  for (const [what, sql] of Object.entries(halves)) expect([what, await query(db, sql)]).toEqual([what, []])
})
