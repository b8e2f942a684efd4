import { chmodSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { query } from '../../../../src/store/postgres/db.ts'
import { buildTestApp } from '../../../support/app/test-app.ts'
import { command } from '../../../support/cli/command.ts'
import { at, JOB } from '../../../support/cli/operators.ts'

test('what could not be written or is no log is said for what it is, and a store without checkpoints proves nothing', async () => {
  await using testApp = await buildTestApp({ jobs: { act: JOB } })
  const id = await testApp.write('act')
  const nowhere = join(testApp.dir, 'nowhere', 'file.json')
  for (const args of [['export', id], ['checkpoint'], ['key', 'show'], ['key', 'rotate']])
    expect(await command(at(testApp, 'evidence', ...args))).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        /^CONFIG_INVALID There is no key \S+evidence\.key to sign evidence with\. Where another host or a copy has it, .*makes it, once: nightshift evidence key create\.$/,
      ),
    })

  expect(await command(at(testApp, 'evidence', 'verify', '--store'))).toMatchObject({
    code: 2,
    err: expect.stringMatching(
      /^KEY_INVALID There is no public key \S+evidence\.key\.pub\. Bring it back from its copy.*\(nightshift evidence key create\) is for a deployment that never had one/,
    ),
  })
  expect(await command(at(testApp, 'evidence', 'key', 'create'))).toMatchObject({
    code: 0,
    out: expect.stringMatching(/evidence\.key: key [0-9a-f]{16}\./),
  })
  expect(await command(at(testApp, 'evidence', 'key', 'create'))).toMatchObject({ code: 2, err: expect.stringContaining('key rotate') })
  for (const args of [['export', id], ['checkpoint']])
    expect(await command(at(testApp, 'evidence', ...args, '--out', nowhere))).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/^COMMAND_INVALID The file \S+file\.json cannot be written: ENOENT/),
    })
  // Where it was to go was looked at first: a checkpoint that nobody gets is not taken.
  expect(await query(testApp.app.db, 'select number from checkpoints')).toEqual([])

  expect(await command(at(testApp, 'evidence', 'export', 'latest', '--out', join(testApp.dir, 'run.json')))).toMatchObject({ code: 0 })
  expect(await command(at(testApp, 'evidence', 'verify', '--store'))).toMatchObject({
    code: 0,
    out: expect.stringMatching(/no checkpoints[^]*\nverdict +nothing is proved: no checkpoint was taken yet/),
  })

  const text = join(testApp.dir, 'notes.txt')
  writeFileSync(text, 'one\ntwo\n')
  expect(await command(at(testApp, 'audit', 'import', text))).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^2 lines: 0 authorize checks/),
    err: expect.stringContaining('is it the log of Pomerium’s authorize service'),
  })
  await query(testApp.app.db, "update runs set status = 'succeeded', finished_at = now()")
  expect(await command(at(testApp, 'logs'))).toEqual({
    code: 0,
    out: '',
    err: 'No run is under way. Name a run that is over, or add --follow to wait for the next one.',
  })
})

test.each([
  ['owner', '600'],
  ['group', '640'],
] as const)(
  'exports and checkpoints that the %s may read have mode %s, whatever the umask is and whatever was there',
  async (readableBy, mode) => {
    await using testApp = await buildTestApp({ jobs: { act: JOB }, config: { evidence: { readableBy } } })
    const id = await testApp.write('act')
    await query(testApp.app.db, "update runs set status = 'succeeded', finished_at = now() - interval '1 hour'")
    const modeOf = (name: string) => (statSync(join(testApp.dir, name)).mode & 0o777).toString(8)
    writeFileSync(join(testApp.dir, 'before.json'), 'of an earlier day')
    chmodSync(join(testApp.dir, 'before.json'), 0o666)
    await command(at(testApp, 'evidence', 'key', 'create'))
    const umask = process.umask(0o077)
    try {
      for (const args of [
        ['export', id, '--out', 'strict.json'],
        ['export', id, '--out', 'before.json'],
        ['checkpoint', '--out', 'checkpoint.json'],
      ]) {
        const out = join(testApp.dir, args.pop() ?? '')
        expect(await command(at(testApp, 'evidence', ...args, out))).toMatchObject({ code: 0 })
      }
      process.umask(0o000)
      expect(await command(at(testApp, 'evidence', 'export', id, '--out', join(testApp.dir, 'wide.json')))).toMatchObject({ code: 0 })
    } finally {
      process.umask(umask)
    }
    const written = ['strict.json', 'before.json', 'checkpoint.json', 'wide.json']
    expect(written.map((name) => [name, modeOf(name)])).toEqual(written.map((name) => [name, mode]))
  },
)
