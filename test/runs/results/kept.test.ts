import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { verifyBundle } from '../../../src/audit/evidence/bundle.ts'
import { readPublicKey } from '../../../src/audit/evidence/keys.ts'
import { sizeText } from '../../../src/lib/text.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { openApi } from '../../support/app/api.ts'
import { countingJob } from '../../support/app/jobs.ts'
import { command } from '../../support/cli/command.ts'
import { at } from '../../support/cli/operators.ts'
import { countingRoute, startCountingServer } from '../../support/mcp/counting-server.ts'

// A result that is larger than its row shows is there for people: by command, over the API, and as evidence.

const TABLE = `id,name\n${Array.from({ length: 200_000 }, (_, n) => `${n},some name`).join('\n')}`
const JOB = countingJob({ more: 'limits: { resultBytes: 1024 }' })

const bundleSchema = z.looseObject({ entries: z.array(z.looseObject({ kind: z.string(), data: z.unknown() })) })

test('a whole result is shown, given over the API in pieces, and exported and verified by its digest', async () => {
  await using server = await startCountingServer(() => TABLE)
  await using api = await openApi({
    jobs: { work: JOB, other: JOB },
    scripts: { scripted: 'call counting__look {}\nsay done' },
    routes: [countingRoute(server)],
  })
  const { testApp } = api
  await testApp.app.worker.start()
  const id = await api.create('work')
  const run = await api.over(id)
  expect(run).toMatchObject({
    status: 'succeeded',
    toolCalls: [{ result: { truncated: true, kept: { bytes: TABLE.length, whole: true } } }],
  })
  const digest = run.toolCalls[0]?.result?.kept?.digest ?? ''

  // By command.
  const shown = await command(at(testApp, 'show', id), { columns: 200 })
  expect(shown.out).toContain(`${digest.slice(0, 12)} ${sizeText(TABLE.length)}, text/plain, of look on counting in turn 1; see --result`)
  expect((await command(at(testApp, 'show', id, '--result', digest.slice(0, 12)))).out.trimEnd()).toBe(TABLE)
  const file = join(testApp.dir, 'table.csv')
  expect(await command(at(testApp, 'show', id, '--result', 't1c1', '--out', file))).toMatchObject({ code: 0 })
  expect(readFileSync(file, 'utf8')).toBe(TABLE)
  expect(await command(at(testApp, 'show', id, '--result', 't9c9'))).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^OUTPUT_MISSING Run run_\S+ has no result t9c9/),
  })

  // Over the API, as far as somebody sees the run.
  const path = `/v1/runs/${id}/results/t1c1`
  const pieces: string[] = []
  for (let offset = 0; offset < TABLE.length; offset += 1_048_576) {
    const { status, text, headers } = await api.ask('GET', `${path}?offset=${offset}`, { who: 'viewerOfWork' })
    expect([status, headers.get('x-nightshift-total-bytes'), headers.get('content-disposition')]).toEqual([
      200,
      String(TABLE.length),
      'attachment',
    ])
    pieces.push(text)
  }
  expect(pieces.length).toBeGreaterThan(2)
  expect(pieces.join('')).toBe(TABLE)
  expect((await api.ask('GET', `/v1/runs/${id}/results/${digest}?offset=3&bytes=4`)).text).toBe('name')
  const other = await api.create('other')
  await api.over(other)
  for (const result of ['t1c1', digest]) {
    expect(await api.ask('GET', `/v1/runs/${other}/results/${result}`, { who: 'viewerOfWork' })).toMatchObject({ status: 404 })
    expect(await api.ask('GET', `/v1/runs/${id}/results/${result}`, { who: 'nobody' })).toMatchObject({ status: 401 })
  }
  expect(await api.ask('GET', `/v1/runs/${id}/results/${'0'.repeat(64)}`)).toMatchObject({ status: 404 })
  expect(await api.ask('GET', `${path}?bytes=99999999`)).toMatchObject({ status: 400 })

  // As evidence.
  expect(await command(at(testApp, 'evidence', 'key', 'create'))).toMatchObject({ code: 0 })
  const bundle = join(testApp.dir, 'run.json')
  const contentsIn = () => bundleSchema.parse(JSON.parse(readFileSync(bundle, 'utf8'))).entries.filter(({ kind }) => kind === 'content')
  expect(await command(at(testApp, 'evidence', 'export', id, '--out', bundle))).toMatchObject({ code: 0 })
  expect(contentsIn()).toEqual([])
  expect(await command(at(testApp, 'evidence', 'export', id, '--with-contents', '--out', bundle))).toMatchObject({ code: 0 })
  expect(contentsIn()).toMatchObject([{ data: { digest, mediaType: 'text/plain', base64: Buffer.from(TABLE).toString('base64') } }])
  const verify = ['evidence', 'verify', bundle, '--key', join(testApp.dir, 'evidence.key.pub')]
  expect(await command(at(testApp, ...verify))).toMatchObject({ code: 0 })

  // A case of the run holds what its server said, and not what was shown of it.
  const recorded = await command(at(testApp, 'eval', 'record', id))
  expect(recorded).toMatchObject({ code: 0, out: expect.stringContaining('199999,some name') })
  expect(recorded.out).not.toContain('It is shown in part')

  // Somebody who changes what is kept is found, also by whoever gets a bundle that was signed afterwards.
  await query(testApp.app.db, "update result_contents set content = 'other'")
  expect(await command(at(testApp, 'show', id, '--result', 't1c1'))).toMatchObject({
    err: expect.stringContaining('was changed in the store'),
  })
  expect(await api.ask('GET', `/v1/runs/${id}/results/t1c1`)).toMatchObject({ status: 404 })
  expect(await command(at(testApp, 'evidence', 'export', id, '--with-contents', '--out', bundle))).toMatchObject({
    code: 0,
    err: expect.stringContaining(`what is kept of the result ${digest} was changed`),
  })
  expect(verifyBundle(readFileSync(bundle), readPublicKey(join(testApp.dir, 'evidence.key.pub')))).toEqual({
    ok: false,
    why: 'a kept result is not what its digest says',
  })
  await query(testApp.app.db, 'delete from run_contents')
  await query(testApp.app.db, 'delete from result_contents')
  expect(await command(at(testApp, 'evidence', 'export', id, '--with-contents', '--out', bundle))).toMatchObject({
    code: 0,
    err: expect.stringContaining(`the result ${digest} is not kept any more`),
  })
})
