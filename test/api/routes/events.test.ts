import { once } from 'node:events'
import { get, type ClientRequest } from 'node:http'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { bearer, openApi, problem, type Api, type Who } from '../../support/app/api.ts'
import { countingJob, WORK } from '../../support/app/jobs.ts'
import { countingRoute, startCountingServer } from '../../support/mcp/counting-server.ts'

const job = countingJob()
const script = Array.from({ length: 4 }, (_, n) => `call counting__look {"n": ${n}} & counting__act {"n": ${n}}`).join('\n')

interface Told {
  id: number
  event: string
  data: unknown
}

/** Reads events until there are `most`, then cuts the connection. */
async function follow(
  api: Api,
  id: string,
  after: number | undefined,
  most = Number.POSITIVE_INFINITY,
): Promise<{ told: Told[]; cut: boolean }> {
  const headers = { ...bearer('viewer'), ...(after !== undefined && { 'last-event-id': String(after) }) }
  const request = get(`${api.url}/v1/runs/${id}/events`, { headers })
  const [response] = z.tuple([z.custom<import('node:http').IncomingMessage>()]).parse(await once(request, 'response'))
  const told: Told[] = []
  let text = ''
  for await (const chunk of response) {
    text += String(chunk)
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? ''
      if (field('event') !== 'ping') told.push({ id: Number(field('id')), event: field('event'), data: JSON.parse(field('data')) })
      if (told.length >= most) return { told, cut: true }
    }
  }
  return { told, cut: false }
}

test('a stream that is cut again and again loses no event and doubles none', async () => {
  await using server = await startCountingServer()
  await using api = await openApi({ routes: [countingRoute(server)], jobs: { work: job }, scripts: { scripted: `${script}\nsay Done.` } })
  const id = await api.create('work')
  const whole = follow(api, id, undefined)
  const told: Told[] = []
  const cuts = (async () => {
    for (let most = 1; ; most = (most % 3) + 1) {
      const part = await follow(api, id, told.at(-1)?.id, most)
      told.push(...part.told)
      if (!part.cut) return
    }
  })()
  await api.testApp.app.worker.start()
  await cuts
  expect(told).toEqual((await whole).told)
  expect(told.map((one) => one.id)).toEqual(told.map((_, index) => index + 1))
  const turn = ['turn', 'call', 'call']
  expect(told.map(({ event }) => event)).toEqual([
    'queued',
    'attempt',
    ...turn,
    ...turn,
    ...turn,
    ...turn,
    'turn',
    'attemptEnded',
    'finished',
  ])
  expect(told.at(-1)?.data).toMatchObject({ status: 'succeeded' })
  // After the last event there is nothing more to tell.
  expect(await follow(api, id, told.at(-1)?.id)).toEqual({ told: [], cut: false })
})

test('a stream goes on over a retry', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: 'truncate Half' } })
  await api.testApp.app.worker.start()
  const id = await api.create('work')
  const { told } = await follow(api, id, undefined)
  await api.ask('POST', `/v1/runs/${id}/retry`)
  const { told: more } = await follow(api, id, told.at(-1)?.id)
  const names = ['act', 'attempt', ...Array.from({ length: more.length - 4 }, () => 'turn'), 'attemptEnded', 'finished']
  expect(more.map(({ event }) => event)).toEqual(names)
  expect(more[0]).toMatchObject({ id: told.length + 1, data: { act: 'retry', by: 'token:operator', via: 'api' } })
  expect(more[1]).toMatchObject({ id: told.length + 2, data: { number: 2 } })
})

test(
  'a caller who has as many streams and waits as one may have gets no more until some are cut, and others get theirs',
  { timeout: 60_000 },
  async () => {
    await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: 'say Done.' } })
    const id = await api.create('work')
    const open: ClientRequest[] = []
    const status = async (who: Who) => {
      const request = get(`${api.url}/v1/runs/${id}/events`, { headers: bearer(who) }).on('error', () => {})
      const [response] = z.tuple([z.custom<import('node:http').IncomingMessage>()]).parse(await once(request, 'response'))
      if (response.statusCode === 200) open.push(request)
      return response.resume().statusCode
    }
    for (let opened = 0; opened < 200; opened += 20)
      expect(await Promise.all(Array.from({ length: 20 }, () => status('viewer')))).toEqual(Array.from({ length: 20 }, () => 200))
    expect(await status('viewer')).toBe(429)
    const waited = await api.ask('GET', `/v1/runs/${id}?wait=1`, { who: 'viewer' })
    expect([waited.status, problem.parse(waited.body).code]).toEqual([429, 'STREAMS_FULL'])
    // One who may not wait has asked for nothing.
    for (let opened = 0; opened < 200; opened += 20)
      expect(await Promise.all(Array.from({ length: 20 }, () => status('runner')))).toEqual(Array.from({ length: 20 }, () => 200))
    const asked = await api.ask('POST', '/v1/jobs/work/runs?wait=1', { who: 'runner' })
    expect([asked.status, problem.parse(asked.body).code]).toEqual([429, 'STREAMS_FULL'])
    expect((await api.ask('GET', '/v1/runs')).body).toMatchObject({ runs: [{ id }], nextCursor: null })
    // To look once needs no place.
    expect((await api.ask('GET', `/v1/runs/${id}`, { who: 'viewer' })).status).toBe(200)
    expect(await status('operator')).toBe(200)
    for (const request of open) request.destroy()
    await expect.poll(() => status('viewer')).toBe(200)
    for (const request of open) request.destroy()
  },
)

test('a drain ends streams and long polls at once', async () => {
  await using server = await startCountingServer()
  await using api = await openApi({ routes: [countingRoute(server)], jobs: { work: job }, scripts: { scripted: `${script}\nsay Done.` } })
  const release = Promise.withResolvers<string>()
  server.answer = () => release.promise
  await api.testApp.app.worker.start()
  const called = server.nextCall()
  const id = await api.create('work')
  await called
  const { told } = await follow(api, id, undefined, 3)
  expect(told.map(({ event }) => event)).toEqual(['queued', 'attempt', 'turn'])
  const stream = follow(api, id, 3)
  const poll = api.ask('GET', `/v1/runs/${id}?wait=60`)
  const asked = api.ask('POST', '/v1/jobs/work/runs?wait=60', { headers: { 'idempotency-key': 'k' } })
  await expect.poll(async () => (await api.ask('GET', '/v1/runs')).body).toMatchObject({ runs: [{}, { id }] })
  api.server.drain()
  expect(await stream).toEqual({ told: [], cut: false })
  expect((await poll).body).toMatchObject({ status: 'running' })
  expect(await asked).toMatchObject({ status: 202, body: { job: 'work' } })
  release.resolve('done')
})
