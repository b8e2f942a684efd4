import { expect, test } from 'vitest'
import { query } from '../../src/store/postgres/db.ts'
import { openApi, type Api } from '../support/app/api.ts'
import { describeBackends, queueEntries } from '../support/app/backends.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'

const QUEUE = '/queue/api/queues/nightshift-runs'
const fails = WORK.replace('name: scripted', 'name: fails')
const testApp = { jobs: { work: WORK, fails }, scripts: { scripted: WORK_SCRIPT, fails: 'always fail 401 invalid_api_key' } }

/** Everything that a press of a button could change. */
async function everything(api: Api): Promise<string> {
  const runs = await query(api.testApp.database.db, 'select * from runs order by id')
  const attempts = await query(api.testApp.database.db, 'select * from attempts order by run_id, number')
  const entries = (await queueEntries(api.testApp)).map(({ id, data }) => JSON.stringify({ id, data })).toSorted()
  return JSON.stringify({ runs, attempts, entries })
}

describeBackends('the board', ({ redisUrl }) => {
  test('a retry there is our retry, and a green run stays green', async () => {
    await using api = await openApi({ ...testApp, redisUrl })
    await api.testApp.app.worker.start()
    const [green, first, second] = [await api.create('work'), await api.create('fails'), await api.create('fails')]
    for (const id of [green, first, second]) await api.over(id)
    expect((await api.ask('PUT', `${QUEUE}/${first}/retry/failed`)).status).toBe(204)
    expect(await api.over(first)).toMatchObject({
      status: 'failed',
      attempts: [
        { number: 1, status: 'failed' },
        { number: 2, status: 'failed' },
      ],
    })
    // An entry of an earlier round stands for the same run.
    expect((await api.ask('PUT', `${QUEUE}/${first}/retry`)).status).toBe(204)
    expect((await api.over(first)).attempts).toHaveLength(3)
    expect((await api.show(second)).attempts).toHaveLength(1)
    expect((await api.ask('PUT', `${QUEUE}/retry/failed`)).status).toBe(204)
    expect((await api.over(second)).attempts).toHaveLength(2)
    expect((await api.over(first)).attempts).toHaveLength(4)
    expect((await api.ask('PUT', `${QUEUE}/${green}/retry/completed`)).status).toBe(204)
    expect((await api.ask('PUT', `${QUEUE}/run_none/retry/failed`)).status).toBe(204)
    expect(await api.show(green)).toMatchObject({ status: 'succeeded', attempts: [{ number: 1 }] })
  })

  test('nothing else can be changed there, and only an operator may see it', async () => {
    await using api = await openApi({ ...testApp, redisUrl })
    await api.testApp.app.worker.start()
    const [done, failed] = [await api.create('work'), await api.create('fails')]
    await Promise.all([api.over(done), api.over(failed)])
    const later = await api.create('work', { startAt: new Date(Date.now() + 600_000).toISOString() })
    const before = await everything(api)
    const changes = [
      ['POST', `${QUEUE}/add`], ['PUT', `${QUEUE}/pause`], ['PUT', `${QUEUE}/resume`], ['PUT', `${QUEUE}/empty`], ['PUT', `${QUEUE}/obliterate`],
      ['PUT', `${QUEUE}/clean/completed`], ['PUT', `${QUEUE}/clean/failed`], ['PUT', `${QUEUE}/clean/delayed`], ['PUT', `${QUEUE}/promote`],
      ['PUT', `${QUEUE}/${later}/promote`], ['PUT', `${QUEUE}/${later}/clean`], ['PUT', `${QUEUE}/${failed}/clean`], ['PATCH', `${QUEUE}/${later}/update-data`],
      ['POST', `${QUEUE}/${done}/flow`], ['PUT', `${QUEUE}/concurrency`], ['PUT', '/queue/api/queues/pause'], ['PUT', '/queue/api/queues/resume'],
      ['PUT', `${QUEUE}/retry/completed`], ['DELETE', `${QUEUE}/${failed}/retry/failed`], ['POST', `${QUEUE}/retry/failed`], ['PATCH', `${QUEUE}/${failed}/retry`], ['DELETE', `${QUEUE}/${failed}`], ['POST', `${QUEUE}/${failed}/retry/failed/clean`],
    ] as const // prettier-ignore
    for (const [method, path] of changes) {
      const { status } = await api.ask(method, path, { body: { jobData: { runId: done }, name: 'run' } })
      expect(status, `${method} ${path}`).toBe(405)
    }
    for (const who of ['nobody', 'viewer', 'runner', 'runsAll'] as const)
      expect((await api.ask('PUT', `${QUEUE}/${failed}/retry/failed`, { who })).status, who).toBe(who === 'nobody' ? 401 : 403)
    expect(await everything(api)).toBe(before)
    const listed = await api.ask('GET', `/queue/api/queues?activeQueue=nightshift-runs&status=failed`)
    expect(listed.body).toMatchObject({ queues: [{ name: 'nightshift-runs', counts: { completed: 1, failed: 1, delayed: 1 } }] })
    expect(listed.text).toContain(failed)
    const page = await api.ask('GET', '/queue')
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8'])
    for (const [, asset = ''] of page.text.matchAll(/(?:src|href)="(\/?queue\/static\/[^"]+|static\/[^"]+)"/g))
      expect((await api.ask('GET', asset.startsWith('/') ? asset : `/queue/${asset}`)).status, asset).toBe(200)
    expect((await api.ask('GET', '/queue/queue/nightshift-runs')).status).toBe(200)
  })
})
