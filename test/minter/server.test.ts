import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createMinterClient } from '../../src/pomerium/minter-client.ts'
import { ask, openTestMinter, RUN_ID } from '../support/gateway/minter.ts'

const NOW = Date.parse('2026-11-24T03:00:00.000Z')
const at = (ms: number) => new Date(NOW + ms).toISOString()
const GOOD = { runId: RUN_ID, userId: 'svc-reports', expiresAt: at(600_000) }
const policy = { users: ['svc-reports'], maxLifetimeMs: 3_600_000, perMinute: 3 }
const madeSchema = z.strictObject({ id: z.string(), jwt: z.string() })
const open = (now: () => Date = () => new Date(NOW)) => openTestMinter({ policy, now })

describe('the minter', () => {
  test('makes an account of the user that expires when asked, and says for which run in its description and log', async () => {
    await using minter = await open()
    const { status, body } = await ask(minter.socket, 'POST', '/accounts', JSON.stringify(GOOD))
    const { id, jwt } = madeSchema.parse(body)
    expect(status).toBe(201)
    expect(minter.accounts.get(id)).toMatchObject({
      userId: 'svc-reports',
      expiresAt: '2026-11-24T03:10:00Z',
      description: `Nightshift ${RUN_ID}`,
    })
    expect(minter.log.join('')).toContain(id)
    expect(minter.log.join('')).not.toContain(jwt.split('.')[2])
  })

  test.for([
    ['another user', { userId: 'svc-admin' }, 403, 'this user is not in its policy'],
    ['a user that only begins like one', { userId: 'svc-reports2' }, 403, 'this user is not in its policy'],
    ['a longer life', { expiresAt: at(3_700_000) }, 403, 'an account may live 3600 s, and 3700 s were asked for'],
    ['a life that is over', { expiresAt: at(0) }, 403, 'the account would have expired already'],
    ['no end', { expiresAt: undefined }, 400, 'the request is not as it must be'],
    ['an end that is no time', { expiresAt: 'tomorrow' }, 400, 'the request is not as it must be'],
    ['no user', { userId: undefined }, 400, 'the request is not as it must be'],
    ['an empty user', { userId: '' }, 400, 'the request is not as it must be'],
    ['no run', { runId: undefined }, 400, 'the request is not as it must be'],
    ['a run that is none', { runId: 'run_1\nuserId: x' }, 400, 'the request is not as it must be'],
    ['a field that it does not know', { description: 'x' }, 400, 'the request is not as it must be'],
  ] as const)('refuses %s, and makes nothing', async ([, change, status, error]) => {
    await using minter = await open()
    expect(await ask(minter.socket, 'POST', '/accounts', JSON.stringify({ ...GOOD, ...change }))).toEqual({ status, body: { error } })
    expect(minter.accounts.list()).toEqual([])
  })

  test.for([
    ['no JSON', 'nonsense', {}, 400],
    ['an empty body', '', {}, 400],
    ['a list', '[]', {}, 400],
    ['a large body', JSON.stringify({ ...GOOD, description: 'x'.repeat(5000) }), {}, 413],
    ['a body without its length', JSON.stringify(GOOD), { 'transfer-encoding': 'chunked' }, 413],
  ] as const)('refuses %s', async ([, body, headers, status]) => {
    await using minter = await open()
    expect(await ask(minter.socket, 'POST', '/accounts', body, headers)).toMatchObject({ status })
    expect(minter.accounts.list()).toEqual([])
  })

  test.for([
    ['GET', '/accounts'],
    ['DELETE', '/accounts'],
    ['DELETE', '/accounts/'],
    ['DELETE', '/accounts/../accounts'],
    ['POST', '/accounts/x'],
    ['GET', '/'],
  ] as const)('has nothing at %s %s', async ([method, path]) => {
    await using minter = await open()
    expect(await ask(minter.socket, method, path)).toMatchObject({ status: 404 })
  })

  test('lets a deadline be rounded up to the next second, as workers do', async () => {
    await using minter = await open()
    const { status } = await ask(minter.socket, 'POST', '/accounts', JSON.stringify({ ...GOOD, expiresAt: at(3_600_000 + 999) }))
    expect(status).toBe(201)
    expect(await ask(minter.socket, 'POST', '/accounts', JSON.stringify({ ...GOOD, expiresAt: at(3_600_000 + 1001) }))).toMatchObject({
      status: 403,
    })
  })

  test('makes so many in a minute, also when they are asked for at once, and goes on after it', async () => {
    let now = NOW
    await using minter = await open(() => new Date(now))
    const mint = () => ask(minter.socket, 'POST', '/accounts', JSON.stringify(GOOD))
    const statuses = (await Promise.all(Array.from({ length: 8 }, mint))).map(({ status }) => status).toSorted((a, b) => a - b)
    expect(statuses).toEqual([201, 201, 201, 429, 429, 429, 429, 429])
    expect(minter.accounts.list()).toHaveLength(3)
    now += 59_999
    expect(await mint()).toMatchObject({ status: 429, body: { error: '3 accounts a minute were made' } })
    now += 1
    expect(await mint()).toMatchObject({ status: 201 })
  })

  test('refused requests do not use up the minute', async () => {
    await using minter = await open()
    for (const _ of Array.from({ length: 5 }))
      await ask(minter.socket, 'POST', '/accounts', JSON.stringify({ ...GOOD, userId: 'svc-admin' }))
    expect(await ask(minter.socket, 'POST', '/accounts', JSON.stringify(GOOD))).toMatchObject({ status: 201 })
  })

  test('deletes what it made, once, and nothing else', async () => {
    await using minter = await open()
    const standing = await minter.accounts.create({ userId: 'svc-reports' })
    const { id } = madeSchema.parse((await ask(minter.socket, 'POST', '/accounts', JSON.stringify(GOOD))).body)
    const nothing = { status: 404, body: { error: 'no such account was made here' } }
    expect(await ask(minter.socket, 'DELETE', `/accounts/${standing.id}`)).toEqual(nothing)
    expect(await ask(minter.socket, 'DELETE', `/accounts/${randomUUID()}`)).toEqual(nothing)
    expect(await ask(minter.socket, 'DELETE', `/accounts/${id}`)).toEqual({ status: 200, body: {} })
    expect(await ask(minter.socket, 'DELETE', `/accounts/${id}`)).toEqual(nothing)
    expect(minter.accounts.list().map((account) => account.id)).toEqual([standing.id])
  })
})

describe('accounts of a run', () => {
  test('are ended by the gateway’s own list, also those that a minter made which has ended since, and no others', async () => {
    await using minter = await open()
    const standing = await minter.accounts.create({ userId: 'svc-reports', description: 'Nightshift' })
    const other = { ...GOOD, runId: RUN_ID.replace(/1$/, '2') }
    for (const one of [GOOD, GOOD, other]) await ask(minter.socket, 'POST', '/accounts', JSON.stringify(one))
    await minter.stop()
    await using later = new AsyncDisposableStack()
    later.use(await minter.start())
    expect(await ask(minter.socket, 'DELETE', `/runs/${RUN_ID}/accounts`)).toEqual({ status: 200, body: { ended: 2 } })
    expect(await ask(minter.socket, 'DELETE', `/runs/${RUN_ID}/accounts`)).toEqual({ status: 200, body: { ended: 0 } })
    expect(minter.accounts.list().map(({ id }) => id)).toContain(standing.id)
    expect(minter.accounts.list()).toHaveLength(2)
    expect(minter.log.filter((line) => line.includes('Ended an account.'))).toHaveLength(2)
  })

  test.for([['x'], ['run_'], ['run_019a0000'], ['']])('are none of what is no run: %s', async ([runId]) => {
    await using minter = await open()
    await minter.accounts.create({ userId: 'svc-reports', description: `Nightshift ${runId}` })
    const { status } = await ask(minter.socket, 'DELETE', `/runs/${runId}/accounts`)
    expect([400, 404]).toContain(status)
    expect(minter.accounts.list()).toHaveLength(1)
  })
})

describe('the socket', () => {
  test('is of the worker’s user alone, and goes with the minter', async () => {
    await using minter = await open()
    const { mode, uid } = statSync(minter.socket)
    expect({ mode: mode & 0o777, uid }).toEqual({ mode: 0o600, uid: process.getuid?.() })
    await minter.stop()
    expect(existsSync(minter.socket)).toBe(false)
  })

  test('a second minter on a live one refuses, and the first goes on', async () => {
    await using minter = await open()
    await expect(minter.start()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `Another minter listens on ${minter.socket}.`,
      cure: 'End it, or change socket.',
    })
    expect(await ask(minter.socket, 'POST', '/accounts', JSON.stringify(GOOD))).toMatchObject({ status: 201 })
  })

  test('a stale one is replaced', async () => {
    await using minter = await open()
    await minter.stop()
    // A process that is killed leaves its socket behind.
    const dying = spawn(process.execPath, [
      '-e',
      'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))',
      minter.socket,
    ])
    await once(dying, 'exit')
    expect(statSync(minter.socket).isSocket()).toBe(true)
    await using again = await minter.start()
    expect(again).toBeDefined()
    expect(await ask(minter.socket, 'POST', '/accounts', JSON.stringify(GOOD))).toMatchObject({ status: 201 })
  })

  test('what is no socket is not removed', async () => {
    await using minter = await open()
    await minter.stop()
    writeFileSync(minter.socket, 'precious')
    await expect(minter.start()).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('it is no socket') })
    expect(existsSync(minter.socket)).toBe(true)
  })
})

describe.skipIf(process.getuid?.() !== 0)('as root, for a worker of another user', () => {
  const NOBODY = 65_534

  /** What a process of another user gets from the socket: the status, or the code of the error. */
  async function askAs(uid: number, socket: string, body: unknown): Promise<string> {
    // It becomes that user when it runs: the program itself may be where only root can enter.
    const source = `
      const [uid, socketPath, body] = process.argv.slice(1)
      process.setgroups([])
      process.setgid(Number(uid))
      process.setuid(Number(uid))
      const req = require('http').request({ socketPath, method: 'POST', path: '/accounts', headers: { 'content-length': body.length } }, (res) => { console.log(res.statusCode); res.resume() })
      req.on('error', (error) => console.log(error.code))
      req.end(body)`
    const child = spawn(process.execPath, ['-e', source, String(uid), socket, JSON.stringify(body)], {
      cwd: '/',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    return (await text(child.stdout)).trim()
  }

  test('a caller that is not the worker’s user cannot connect', async () => {
    await using minter = await open()
    expect(await askAs(NOBODY, minter.socket, GOOD)).toBe('EACCES')
    await using other = await openTestMinter({ policy, now: () => new Date(NOW), workerUid: NOBODY })
    expect(await askAs(NOBODY - 1, other.socket, GOOD)).toBe('EACCES')
    expect([...minter.accounts.list(), ...other.accounts.list()]).toEqual([])
  })

  test('the worker’s user can, once workerUid says who that is', async () => {
    await using minter = await openTestMinter({ policy, now: () => new Date(NOW), workerUid: NOBODY })
    expect(statSync(minter.socket)).toMatchObject({ uid: NOBODY })
    expect(await askAs(NOBODY, minter.socket, GOOD)).toBe('201')
  })
})

describe('the worker’s side', () => {
  test('a refusal is final, a full minute and a minter that is down are not', async () => {
    await using minter = await open()
    const client = createMinterClient(minter.socket)
    const request = { runId: RUN_ID, userId: 'svc-reports', expiresAt: new Date(NOW + 600_000) }
    await expect(client.mint({ ...request, userId: 'svc-admin' })).rejects.toMatchObject({
      code: 'MINTER_REFUSED',
      retry: 'never',
      message: expect.stringContaining('this user is not in its policy'),
    })
    for (const _ of Array.from({ length: policy.perMinute })) await client.mint(request)
    await expect(client.mint(request)).rejects.toMatchObject({ code: 'MINTER_REFUSED', retry: 'later' })
    await client.end('not-there')
    await minter.stop()
    await expect(client.mint(request)).rejects.toMatchObject({
      code: 'MINTER_REFUSED',
      retry: 'later',
      message: expect.stringContaining('does not answer'),
    })
    await client.end('not-there')
    await client.close()
  })

  test('what answers on the socket and is no minter gives no account', async () => {
    await using minter = await open()
    await minter.stop()
    const other = createServer((_, res) => void res.end('{}')).listen(minter.socket)
    await once(other, 'listening')
    const client = createMinterClient(minter.socket)
    await expect(client.mint({ runId: RUN_ID, userId: 'svc-reports', expiresAt: new Date(NOW) })).rejects.toMatchObject({
      code: 'MINTER_REFUSED',
    })
    await client.close()
    other.closeAllConnections()
    await new Promise((done) => other.close(done))
  })
})
