import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, getGlobalDispatcher, ProxyAgent, setGlobalDispatcher } from 'undici'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { checkAssertionKeys, checkEvidenceKey, checkReportsDir, checkWebhook } from '../../src/doctor/places.ts'
import { createSigningKey } from '../../src/audit/evidence/keys.ts'
import { keyIdOf } from '../../src/lib/hash/public-key.ts'
import { freePort, serveHttp } from '../support/net/listen.ts'

const home = mkdtempSync(join(tmpdir(), 'nightshift-places-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const NEVER = new AbortController().signal

describe('files', () => {
  const filesOf = (keyFile: string) => ({ keyFile, memoryFile: `${keyFile}.last` })

  test('a key that is there is named, one that is not is to be made, and looking makes nothing', () => {
    const there = join(home, 'there.key')
    const { publicKey } = createSigningKey(there)
    const coming = join(home, 'not', 'yet', 'evidence.key')
    expect(checkEvidenceKey(filesOf(there))).toMatchObject({
      status: 'ok',
      message: `signed with ${there}: key ${keyIdOf(publicKey)}, public ${publicKey}`,
    })
    writeFileSync(`${there}.last`, '{}')
    expect(checkEvidenceKey(filesOf(there))).toMatchObject({ status: 'ok' })
    expect(checkEvidenceKey(filesOf(coming))).toMatchObject({ status: 'warning', cure: expect.stringContaining('evidence key create') })
    expect(existsSync(join(home, 'not'))).toBe(false)
  })

  test('a key that is none, and a memory that cannot be kept, cannot sign', () => {
    const none = join(home, 'none.key')
    writeFileSync(none, 'key')
    expect(checkEvidenceKey(filesOf(none))).toMatchObject({ status: 'failed', message: expect.stringContaining('cannot sign') })
    const good = join(home, 'good.key')
    createSigningKey(good)
    expect(checkEvidenceKey({ keyFile: good, memoryFile: join(none, 'last') })).toMatchObject({
      status: 'failed',
      message: expect.stringContaining(`${none} is no directory`),
      cure: expect.stringContaining('evidence.memoryFile'),
    })
  })

  test('a place under a file is no place for a report', () => {
    const file = join(home, 'a-file')
    writeFileSync(file, '')
    expect(checkReportsDir(join(file, 'reports'))).toMatchObject({ status: 'failed', cure: expect.stringContaining('reportsDir') })
    expect(checkReportsDir(file)).toMatchObject({ status: 'failed' })
  })

  test('a directory of reports that is there, or can be made, is in order', () => {
    expect(checkReportsDir(home).status).toBe('ok')
    expect(checkReportsDir(join(home, 'reports', 'of', 'today')).status).toBe('ok')
    // What was written to try is gone.
    expect(readdirSync(home).filter((name) => name === 'reports' || name.startsWith('.'))).toEqual([])
  })
})

describe('addresses', () => {
  test('any answer of a receiver will do, and nothing is posted to it', async () => {
    const methods: (string | undefined)[] = []
    await using server = await serveHttp((req, res) => {
      methods.push(req.method)
      res.writeHead(405).end()
    })
    expect(await checkWebhook('pager', `${server.url}/hook?key=canary`, NEVER)).toMatchObject({ status: 'ok' })
    expect(methods).toEqual(['HEAD'])
  })

  test('a receiver that is away is failed with the reason, and without the path of its address', async () => {
    const finding = await checkWebhook('pager', `http://127.0.0.1:${await freePort()}/hook?key=canary`, NEVER)
    expect(finding).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('ECONNREFUSED'),
      cure: expect.stringContaining('webhooks.pager.url'),
    })
    expect(JSON.stringify(finding)).not.toContain('canary')
  })

  test('neither goes by what the environment sets for all requests of Node: reports and keys do not', async () => {
    const before = getGlobalDispatcher()
    onTestFinished(() => setGlobalDispatcher(before))
    setGlobalDispatcher(new ProxyAgent(`http://127.0.0.1:${await freePort()}`))
    await using server = await serveHttp((_, res) => res.end('{"keys":[{}]}'))
    expect(await checkWebhook('pager', server.url, NEVER)).toMatchObject({ status: 'ok' })
    expect(await checkAssertionKeys(server.url, new Agent(), NEVER)).toMatchObject({ status: 'ok' })
  })

  test.for([
    ['keys', 200, { keys: [{ kty: 'EC' }] }, 'ok'],
    ['no keys', 200, { keys: [] }, 'failed'],
    ['another document', 200, { hello: 'world' }, 'failed'],
    ['an error', 502, { keys: [{ kty: 'EC' }] }, 'failed'],
  ] as const)('the place of the keys that answers with %s', async ([, status, body, expected]) => {
    await using server = await serveHttp((_, res) =>
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    )
    expect((await checkAssertionKeys(server.url, new Agent(), NEVER)).status).toBe(expected)
  })

  test('the place of the keys that answers with a page is failed, not a fault of ours', async () => {
    await using server = await serveHttp((_, res) => res.end('<html>'))
    expect(await checkAssertionKeys(server.url, new Agent(), NEVER)).toMatchObject({
      status: 'failed',
      cure: expect.stringContaining('jwksUrl'),
    })
  })
})
