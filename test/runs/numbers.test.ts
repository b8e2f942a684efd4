import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { importLog } from '../../src/audit/log/import.ts'
import { exportBundle, verifyBundle } from '../../src/audit/evidence/bundle.ts'
import { createSigningKey, readPublicKey } from '../../src/audit/evidence/keys.ts'
import { collectInput } from '../../src/cli/options/input.ts'
import { createLoopWatch } from '../../src/core/rules/loops.ts'
import { matchHosted } from '../../src/core/rules/join/hosted.ts'
import { parseLogLine } from '../../src/pomerium/log-line.ts'
import { argumentsIn, usageIn } from '../../src/models/foreign.ts'
import { parseYaml } from '../../src/lib/yaml/file.ts'
import { parseKept } from '../../src/lib/json/parse.ts'
import { query } from '../../src/store/postgres/db.ts'
import { loadDefinitions } from '../../src/store/audit/evidence.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { openApi, problem } from '../support/app/api.ts'
import { countingJob, WORK, WORK_SCRIPT } from '../support/app/jobs.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { authorizeLine } from '../support/log/log-lines.ts'
import { aTool, startScriptedServer, type ScriptedServer } from '../support/mcp/scripted-server.ts'
import { aServer, openBox } from '../support/mcp/tool-box.ts'

// The doors through which numbers come in. Each is sent the same ones: what a double holds goes through, what it does not is kept digit for digit or refused, with its field.
const LOST = ['9007199254740993', '-9223372036854775808', '1e400', '9007199254740993.0']
const KEPT = ['-0', '1.0', '12.5', '-7', '9007199254740992']

const RUNS = '/v1/jobs/work/runs'

test('input of a run, by the API: refused with the field, and no key stands for another number', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const send = (number: string, headers = {}) =>
    api.ask('POST', RUNS, { raw: `{"input": {"any": [${number}]}}`, headers: { 'content-type': 'application/json', ...headers } })
  for (const number of LOST) {
    const answer = await send(number, { 'idempotency-key': 'one' })
    expect([answer.status, problem.parse(answer.body)]).toMatchObject([
      422,
      { code: 'INPUT_INVALID', detail: expect.stringContaining(`/input/any/0 is ${number}`) },
    ])
  }
  for (const number of KEPT) expect((await send(number)).status).toBe(202)
  expect((await send('NaN')).status).toBe(400)
  const rows = await query<{ input: string }>(api.testApp.app.db, 'select input::text from runs order by created_at')
  expect(rows.map(({ input }) => input)).toEqual(KEPT.map((number) => `{"any":[${JSON.stringify(Number(number))}]}`))
})

test('input of a run, by the command line', () => {
  for (const number of LOST) expect(() => collectInput(`id=[${number}]`)).toThrow(`In id, /0 is ${number}`)
  for (const number of KEPT) expect(collectInput(`id=${number}`)).toEqual({ id: Number(number) })
  expect(collectInput('id=NaN', { n: 1 })).toEqual({ n: 1, id: 'NaN' })
})

test('a job file, the configuration and cases', () => {
  const schema = z.record(z.string(), z.unknown())
  for (const number of [...LOST, '0x20000000000001'])
    expect(parseYaml(`a: 1\nb:\n  - c: ${number}`, schema)).toEqual({
      ok: false,
      issues: [
        {
          line: 3,
          field: 'b.0.c',
          message: 'has a number that programs do not keep as it is written; put it in quotes, or write a smaller one',
        },
      ],
    })
  for (const number of KEPT) expect(parseYaml(`a: ${number}`, schema)).toMatchObject({ ok: true, value: { a: Number(number) } })
  // A variable of the environment where a number has to be.
  const wanted = z.strictObject({ n: z.number() })
  const from = (value: string) => parseYaml('n: ${N}', wanted, { substitute: (text) => text.replace('${N}', value) })
  expect(from('12.5')).toMatchObject({ ok: true, value: { n: 12.5 } })
  expect(from('9007199254740993')).toMatchObject({ ok: false, issues: [{ field: 'n' }] })
})

test('what a provider counts', () => {
  const counted = (given: { input?: unknown; cached?: unknown; output?: unknown; reasoning?: unknown }) =>
    usageIn({ input: 12, cached: 0, output: 7, reasoning: 0, ...given }, true)
  const known = { inputTokens: 12, cachedTokens: 0, outputTokens: 7, reasoningTokens: 0 }
  for (const [given, tokens] of [
    [12.5, 13],
    ['12', 12],
    [2 ** 40, 2 ** 40],
  ]) {
    expect(counted({ input: given })).toEqual({ ...known, inputTokens: tokens })
    expect(counted({ output: given })).toEqual({ ...known, outputTokens: tokens })
  }
  // What cannot be a count is not known, which is another thing than none.
  for (const given of [
    9_007_199_254_740_992,
    '9007199254740993',
    Number('1e400'),
    '1e400',
    -7,
    -0.5,
    'NaN',
    Number.NaN,
    {},
    null,
    undefined,
    '',
    true,
  ]) {
    expect(counted({ input: given })).toBeNull()
    expect(counted({ output: given })).toBeNull()
    expect(counted({ cached: given, reasoning: given })).toEqual(known)
  }
  // No request has no tokens, and no answer that says something.
  expect(counted({ input: 0 })).toBeNull()
  expect(counted({ output: 0 })).toBeNull()
  expect(usageIn({ input: 12, cached: 0, output: 0, reasoning: 0 }, false)).toEqual({ ...known, outputTokens: 0 })
  // A part is no more than the whole, so that no cost is negative.
  expect(counted({ cached: 9000, reasoning: 9000 })).toEqual({ ...known, cachedTokens: 12, reasoningTokens: 7 })
})

test('arguments that a provider gives as an object: with a number that it has lost they are no JSON, and the model is told', async () => {
  await using server = await startScriptedServer()
  await using opened = await openBox([aServer(server.url)])
  for (const number of [9_007_199_254_740_992, Number('1e400')])
    expect(await opened.call('shop__act', argumentsIn({ n: number }))).toMatchObject({
      status: 'refused',
      text: expect.stringContaining('not valid JSON'),
    })
  expect(server.seen.filter(({ kind }) => kind === 'tools/call')).toEqual([])
  expect(await opened.call('shop__act', argumentsIn({ n: 7 }))).toMatchObject({ status: 'ok' })
})

/** A server of whose tool the schema has the limits of 64 bits, and whose results are `json`. */
const startIds = (json: string): Promise<ScriptedServer> =>
  startScriptedServer({
    'tools/list': ({ id, res }) =>
      void res
        .writeHead(200, { 'content-type': 'application/json' })
        .end(
          `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"tools":[${JSON.stringify(aTool('look')).replace('"integer"', '"integer","minimum":-9223372036854775808,"maximum":9223372036854775807')}]}}`,
        ),
    'tools/call': ({ id, res }) =>
      void res
        .writeHead(200, { 'content-type': 'application/json' })
        .end(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"content":[],"structuredContent":${json}}}`),
  })

test('results of tools: the model reads each digit, and a schema with the limits of 64 bits is a schema', async () => {
  for (const number of LOST) {
    await using server = await startIds(`{"id":${number}}`)
    await using opened = await openBox([aServer(server.url, { allow: ['look'] })])
    expect(opened.box.tools[0]?.parameters).toMatchObject({ properties: { n: { maximum: 2 ** 63 } } })
    expect(await opened.call('shop__look', '{"n":1}')).toMatchObject({ status: 'ok', text: expect.stringContaining(`{"id":"${number}"}`) })
  }
})

test('calls with other digits are other calls: nobody is told that the model repeats itself', () => {
  const watch = createLoopWatch()
  const ids = ['9007199254740992', '9007199254740993', '9007199254740994', '9007199254740995']
  const came = { identity: 'row', failed: false, mistake: false, wrote: false }
  for (const id of ids) expect(watch.note({ tool: 'a', arguments: `{"id":${id}}` }, came)).toBeUndefined()
})

test('a line of the log explains the call with its digits, also where the log has doubles, and no other call', () => {
  const lineOf = (number: string) => {
    const parsed = parseLogLine(authorizeLine({ 'mcp-tool-parameters': 'HERE' }).replace('"HERE"', `{"n":${number}}`), { paramsBytes: 0 })
    if (parsed.kind !== 'event') throw new Error('no event')
    return {
      ...parsed.event,
      id: '1',
      accountId: 'sa-1',
      mcpMethod: 'tools/call',
      mcpTool: 'act',
      byHeader: true,
      paramsDigest: parsed.event.paramsDigest ?? null,
    }
  }
  const explains = (called: string, logged: string): boolean => {
    const event = lineOf(logged)
    const run = {
      startedAt: new Date(event.time.getTime() - 1000),
      finishedAt: null,
      mayReport: true,
      mayFind: false,
      work: [],
      unreportedCalls: 0,
      accounts: [{ id: 'sa-1', own: true }],
      hosts: [{ server: 'hr', host: event.host, path: event.path }],
      reported: 1,
      maxCalls: 1,
      answers: 1,
      explained: [],
      lostCalls: 0,
      calls: [{ id: 'call-1', server: 'hr', tool: 'act', arguments: parseKept(`{"n":${called}}`) }],
      lost: [],
      allowed: new Map(),
    }
    return matchHosted(run, [event]).matches.length === 1
  }
  expect(explains('9007199254740993', '9007199254740993')).toBe(true)
  expect(explains('9007199254740993', '9007199254740992')).toBe(true)
  expect(explains('9007199254740992', '9007199254740993')).toBe(false)
  expect(explains('9007199254740995', '9007199254740993')).toBe(false)
  expect(explains('1.0', '1')).toBe(true)
})

test('a line of the log is imported, whatever numbers its call has', async () => {
  await using testApp = await buildTestApp({ jobs: {} })
  const lines = [...LOST, ...KEPT].map((number, at) =>
    authorizeLine({ 'request-id': `r-${at}`, 'mcp-tool-parameters': 'HERE' }).replace('"HERE"', `{"n":${number}}`),
  )
  const counts = await importLog(Readable.from([lines.join('\n')]), { db: testApp.app.db, paramsBytes: 100 })
  expect(counts).toMatchObject({ added: lines.length, broken: 0 })
  const kept = await query<{ params: string }>(testApp.app.db, 'select params from authorize_events order by request_id')
  expect(kept.map(({ params }) => params)).toEqual([
    ...LOST.map((number) => `{"n":"${number}"}`),
    ...KEPT.map((number) => JSON.stringify({ n: Number(number) })),
  ])
})

test('arguments of a tool: as the model wrote them, to the server, in the row, in what is shown, in a replay and in evidence', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-numbers-'))
  const numbers = [...LOST, ...KEPT]
  const written = numbers.map((number) => `{ "n": ${number} }`)
  await using server = await startScriptedServer({
    'tools/list': (seen) => seen.result({ tools: [aTool('look', { inputSchema: { type: 'object' } })] }),
  })
  await using testApp = await buildTestApp({
    jobs: { act: countingJob({ tools: 'counting: { allow: [look], repeatable: [look] }', retry: '{ attempts: 3, backoff: 10ms }' }) },
    // The second attempt replays what the first one did.
    scripts: { scripted: `${written.map((args) => `call counting__look ${args}`).join('\n')}\nfail 500\nfail 500\nfail 500\nsay done` },
    routes: [
      {
        name: 'counting',
        from: 'https://counting.localhost.pomerium.io',
        to: server.url,
        kind: 'mcp-server',
        policy: { allowUsers: ['svc-reports'] },
      },
    ],
  })
  const { id, status, attempts } = await testApp.run('act')
  expect([status, attempts.length]).toEqual(['succeeded', 2])
  const bodies = server.seen.flatMap(({ kind, body }) => (kind === 'tools/call' ? [body] : []))
  expect(bodies.map((body) => written.filter((args) => body.includes(`"arguments":${args}`)))).toEqual(written.map((args) => [args]))
  const run = await loadRun(testApp.app.db, id)
  if (!run) throw new Error('the run is gone')
  const shown = [...LOST.map((number) => `{ "n": ${number} }`), ...KEPT.map((number) => ({ n: Number(number) }))]
  expect(JSON.stringify(run.toolCalls.map((call) => call.arguments))).toBe(JSON.stringify(shown))
  // What the model was sent in the second attempt.
  const asked = JSON.stringify(testApp.world.model.requests.at(-1))
  for (const args of written) expect(asked).toContain(JSON.stringify(args).slice(1, -1))
  const keyFile = join(dir, 'evidence.key')
  const key = createSigningKey(keyFile)
  const bundle = exportBundle({ run, definitions: await loadDefinitions(testApp.app.db, id), events: [] }, key)
  const publicKey = readPublicKey(`${keyFile}.pub`)
  expect(verifyBundle(Buffer.from(bundle), publicKey)).toMatchObject({ ok: true })
  expect(verifyBundle(Buffer.from(bundle.replace('9007199254740993', '9007199254740992')), publicKey)).toMatchObject({ ok: false })
  rmSync(dir, { recursive: true })
})
