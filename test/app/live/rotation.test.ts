import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { countingJob } from '../../support/app/jobs.ts'
import { buildTestApp } from '../../support/app/test-app.ts'
import { dumpDatabase } from '../../support/database/dump.ts'
import { countingRoute, startCountingServer } from '../../support/mcp/counting-server.ts'
import { serveHttp } from '../../support/net/listen.ts'

const OLD = 'sk-old-0123456789'
const NEW = 'sk-new-9876543210'
const SCRIPT = 'call counting__look {"n": 1}\ncall counting__look {"n": 2}\nsay done'

/** Puts another file in the place of one, as those who rotate secrets do. */
function replaceFile(file: string, content: string): void {
  writeFileSync(`${file}.new`, content, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** A run whose first call waits, and what lets it go on. */
async function openRotation(provider: Record<string, unknown>) {
  const stack = new AsyncDisposableStack()
  const goOn = Promise.withResolvers<string>()
  const server = stack.use(await startCountingServer(({ arguments: { n } }) => (n === 1 ? goOn.promise : 'done')))
  /** The key of each request to the provider, which repeats the key in what it says of itself. */
  const keys: string[] = []
  let model = ''
  const front = stack.use(
    await serveHttp(async (req, res) => {
      const key = req.headers.authorization?.replace('Bearer ', '') ?? ''
      keys.push(key)
      const answer = await fetch(`${model}${(req.url ?? '').replace('/v1', '')}`, {
        method: req.method ?? 'GET',
        headers: { 'content-type': 'application/json', authorization: 'Bearer demo-model-key' },
        body: await text(req),
      })
      res
        .writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '', 'x-request-id': key })
        .end(await answer.text())
    }),
  )
  const testApp = stack.use(
    await buildTestApp({
      jobs: { act: countingJob({ tools: 'counting: { allow: [look], repeatable: [look] }', retry: '{ attempts: 3, backoff: 1ms }' }) },
      scripts: { scripted: SCRIPT },
      routes: [countingRoute(server)],
      files: { 'model.key': `${OLD}\n` },
      config: { providers: { openai: { baseUrl: `${front.url}/v1`, ...provider } } },
    }),
  )
  model = testApp.world.model.url
  await testApp.app.worker.start()
  const called = server.nextCall()
  const id = await testApp.queue('act')
  await called
  const kept = async () => {
    await testApp.world.gateway.flushLog()
    return [testApp.log.join(''), JSON.stringify(testApp.progress), await dumpDatabase(testApp.database.db)].join('\n')
  }
  return { testApp, id, keys, goOn: () => goOn.resolve('done'), kept, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test('the next turn of a run under way has the key that its file holds by then, and no key is kept', async () => {
  await using rotation = await openRotation({ apiKeyFile: './model.key' })
  const { testApp, keys } = rotation
  const before = keys.length
  replaceFile(join(testApp.dir, 'model.key'), NEW)
  rotation.goOn()
  expect(await testApp.finished(rotation.id)).toMatchObject({ status: 'succeeded', attempts: [{ number: 1 }] })
  expect([new Set(keys.slice(0, before)), new Set(keys.slice(before))]).toEqual([new Set([OLD]), new Set([NEW])])
  const kept = await rotation.kept()
  for (const key of [OLD, NEW]) expect(kept).not.toContain(key)
})

test.each([
  { what: 'is that of the next turn of a run under way', elsewhere: false, expected: NEW },
  { what: 'is not sent where a run under way goes on, when it is for another server', elsewhere: true, expected: OLD },
])('a key that stands in the configuration, which is read again, $what', async ({ elsewhere, expected }) => {
  await using rotation = await openRotation({ apiKey: OLD })
  const { testApp, keys } = rotation
  const before = keys.length
  const { configFile } = testApp.world
  const file: Record<string, unknown> = parse(readFileSync(configFile, 'utf8'))
  const baseUrl = elsewhere ? 'http://127.0.0.1:1/v1' : testApp.app.config.providers['openai']?.baseUrl
  replaceFile(configFile, stringify({ ...file, providers: { openai: { baseUrl, apiKey: NEW } } }))
  await testApp.app.liveConfig.watch.round()
  rotation.goOn()
  expect(await testApp.finished(rotation.id)).toMatchObject({ status: 'succeeded', attempts: [{ number: 1 }] })
  expect(new Set(keys.slice(before))).toEqual(new Set([expected]))
  const kept = await rotation.kept()
  for (const key of [OLD, NEW]) expect(kept).not.toContain(key)
})

test('an account whose token was replaced, and deleted in Pomerium, goes on with the one that its file holds by then', async () => {
  await using rotation = await openRotation({ apiKeyFile: './model.key' })
  const { testApp } = rotation
  const { gateway, account, tokenFile, logFile } = testApp.world
  const next = await gateway.accounts.create({ userId: 'svc-reports' })
  replaceFile(tokenFile, `${next.jwt}\n`)
  gateway.accounts.delete(account.id)
  rotation.goOn()
  expect(await testApp.finished(rotation.id)).toMatchObject({ status: 'succeeded' })
  const kept = await rotation.kept()
  expect(readFileSync(logFile, 'utf8')).toContain(next.id)
  for (const { jwt } of [account, next]) expect(kept).not.toContain(jwt)
})
