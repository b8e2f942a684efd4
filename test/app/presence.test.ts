import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createSigningKey } from '../../src/audit/evidence/keys.ts'
import { UNDONE } from '../../src/core/duties.ts'
import { createLogDuties } from '../../src/audit/read.ts'
import { faultsOfProcesses } from '../../src/doctor/duties.ts'
import { openApi } from '../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { listDuties, listProcesses } from '../../src/store/processes.ts'

test('a process is there while it is at work, with each of its duties, and is forgotten when it ends', async () => {
  await using testApp = await buildTestApp({
    jobs: { work: WORK },
    scripts: { scripted: WORK_SCRIPT },
    config: { minter: { socket: './minter.sock' } },
  })
  const { app } = testApp
  const { db, worker, consent, outbox, scheduler, sweeper, accountSweeper, upkeep, tokens, liveConfig } = app
  const parts = [worker, consent, outbox, scheduler, sweeper, upkeep, tokens, liveConfig.watch]
  await Promise.all([...parts.map((one) => one.start()), accountSweeper.start()])
  const presence = app.createPresence('all')
  await presence.start()
  await expect.poll(() => listProcesses(db)).toMatchObject([{ role: 'all', alive: true, version: expect.stringMatching(/^\d/) }])
  const names: string[] = [
    ...(await listDuties(db)).map(({ duty }) => duty),
    ...Object.values(createLogDuties()).map((duty) => duty.state().name),
  ]
  expect(names.filter((name) => name !== 'presence').toSorted()).toEqual(Object.keys(UNDONE).toSorted())
  await Promise.all([...parts.map((one) => one.stop()), accountSweeper.stop()])
  await presence.stop()
  expect([await listProcesses(db), await listDuties(db)]).toEqual([[], []])
})

test('a duty that fails is told by doctor and by /readyz, which stays ready, until it ends well', async () => {
  await using api = await openApi({
    jobs: { work: WORK },
    scripts: { scripted: WORK_SCRIPT },
    config: { evidence: { keyFile: './locked/evidence.key' } },
  })
  const { app, dir } = api.testApp
  writeFileSync(join(dir, 'locked'), '')
  await api.testApp.run('work')
  const presence = app.createPresence('all')
  const checkpoint = app.upkeep.duties.find((duty) => duty.state().name === 'checkpoint')
  const look = async () => {
    await checkpoint?.round()
    await presence.round()
    const findings = faultsOfProcesses(await listProcesses(app.db), await listDuties(app.db)).filter(({ check }) => check === 'duties')
    const { status, body } = await api.ask('GET', '/readyz')
    return { findings, status, body }
  }
  await checkpoint?.start()
  const { findings, ...ready } = await look()
  expect(findings).toMatchObject([
    { status: 'failed', message: expect.stringMatching(/^checkpoint fails in .*locked.*no checkpoint of ended runs is signed/) },
  ])
  expect(ready).toMatchObject({ status: 200, body: { status: 'ok', duties: { checkpoint: 'failing' } } })
  rmSync(join(dir, 'locked'))
  createSigningKey(app.config.evidence.keyFile)
  expect(await look()).toMatchObject({ findings: [], status: 200, body: { duties: { checkpoint: 'ok' } } })
  await app.upkeep.stop()
})
