import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { program, type Program } from '../../../support/cli/command.ts'
import { until } from '../../../support/until.ts'

const ESCAPE = '\u001b'

const runSchema = z.strictObject({
  id: z.string(), job: z.string(), jobVersion: z.string(), status: z.string(), reasons: z.array(z.unknown()), failure: z.null(),
  trigger: z.object({ kind: z.literal('schedule'), fireAt: z.iso.datetime() }), requestedBy: z.null(), heldBy: z.null(), waitsFor: z.null(), afterRun: z.null(), nextAttemptAt: z.null(), expireAt: z.null(), account: z.string(), retryOf: z.null(), input: z.unknown(),
  output: z.object({ title: z.string(), rows: z.array(z.unknown()) }), outputText: z.string().nullable(), ending: z.null(), mended: z.array(z.string()), usage: z.object({ inputTokens: z.number() }),
  cost: z.object({ usd: z.number() }), attempts: z.array(z.object({ number: z.number(), status: z.string() })),
  turns: z.array(z.object({ number: z.number(), items: z.array(z.unknown()) })),
  toolCalls: z.array(z.object({ server: z.string(), tool: z.string(), status: z.string(), requestId: z.uuid(), requestIdSent: z.uuid() })),
  gatewayRequests: z.array(z.object({ requestIdSent: z.uuid(), status: z.number().nullable() })), createdAt: z.iso.datetime(), startedAt: z.iso.datetime(), finishedAt: z.iso.datetime(),
  acts: z.array(z.unknown()),
  earlierEnds: z.array(z.unknown()), endedAs: z.null(), unreported: z.array(z.unknown()),
  models: z.array(z.object({ provider: z.string(), model: z.string() })), tags: z.strictObject({}),
}) // prettier-ignore

/** A temporary directory of its own, so that what a demo leaves can be seen. */
function createScratch() {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-cli-'))
  chmodSync(dir, 0o711)
  return {
    dir,
    demo: (...args: string[]): Program => program(['demo', ...args], { env: { TMPDIR: dir } }),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  }
}

/** Programs that live and were started with this directory, or in it. */
const processesIn = (dir: string) =>
  readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dir)
      } catch {
        return false
      }
    })

describe('the demo', () => {
  test('prints with --json the finished run, and nothing else', async () => {
    using scratch = createScratch()
    const { code, out, err } = await scratch.demo('--json').ended
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const run = runSchema.parse(JSON.parse(out))
    expect(run).toMatchObject({ job: 'labor-report', status: 'succeeded', reasons: [], attempts: [{ number: 1, status: 'succeeded' }] })
    expect(new Set(run.toolCalls.map(({ status }) => status))).toEqual(new Set(['ok']))
    expect(readdirSync(scratch.dir)).toEqual([])
  })

  test('prints what happens, the report, and for each tool call the line of the gateway', async () => {
    using scratch = createScratch()
    const { code, out, err } = await scratch.demo().ended
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).not.toContain(ESCAPE)
    for (const part of ['started ', 'schedule ', 'preflight ', 'turn 1 ', 'The report\ntitle: ', 'From here to the real thing'])
      expect(out).toContain(part)
    const rows = out.slice(out.indexOf('Each tool call,')).split('\n').slice(2, 10)
    for (const row of rows) expect(row).toMatch(/^\S+ +(labor|everything) +ok +\d+ +[0-9a-f-]{36} +line \d+: allow user-ok$/)
    expect(readdirSync(scratch.dir)).toEqual([])
  })

  test.skipIf(process.platform !== 'linux').each([
    ['as soon as its directory is there', ''],
    ['while the database is made', 'data'],
    ['when all is started', 'started '],
    ['when the schedule fires', 'schedule '],
    ['when the worker takes the run', 'worker '],
    ['in the middle of the run', 'turn 2 '],
  ])('that is interrupted %s leaves no process and no file', async (_, when) => {
    using scratch = createScratch()
    const { child, says, ended } = scratch.demo()
    if (when === '' || when === 'data') await appears(scratch.dir, when)
    else await says(when)
    child.kill('SIGINT')
    const { code, err } = await ended
    expect({ code, err }).toEqual({ code: 130, err: '' })
    expect(processesIn(scratch.dir)).toEqual([])
    expect(readdirSync(scratch.dir)).toEqual([])
  })

  test.skipIf(process.platform !== 'linux')('that was told to stay serves other commands, and ends in order', async () => {
    using scratch = createScratch()
    const { child, says, err, ended } = scratch.demo('--keep')
    await says('From here to the real thing')
    const [name = ''] = readdirSync(scratch.dir)
    const { code, out } = await program(['-c', join(scratch.dir, name, 'nightshift.yaml'), 'runs', '--json']).ended
    expect({ code, runs: z.array(z.object({ job: z.string(), status: z.string() })).parse(JSON.parse(out)) }).toEqual({
      code: 0,
      runs: [{ job: 'labor-report', status: 'succeeded' }],
    })
    expect(child.exitCode).toBe(null)
    const errSaid = () => err().match(/NIGHTSHIFT_URL=(\S+) NIGHTSHIFT_TOKEN=(\S+)\n +curl .*"\$NIGHTSHIFT_URL(\S+)"/)
    await until(() => errSaid() !== null)
    const [, url = '', token = '', path = ''] = errSaid() ?? []
    const asked = await fetch(`${url}${path}`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
    expect([asked.status, await asked.json()]).toMatchObject([200, { status: 'succeeded', run: { requestedBy: 'token:demo' } }])
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 0 })
    expect(processesIn(scratch.dir)).toEqual([])
    expect(readdirSync(scratch.dir)).toEqual([])
  })
})

/** Resolves when the demo's directory is there, and in it the database's when asked for. */
async function appears(dir: string, what: string): Promise<void> {
  await until(() => {
    const [name] = readdirSync(dir)
    return name !== undefined && (what === '' || existsSync(join(dir, name, 'postgres', what, 'PG_VERSION')))
  })
}
