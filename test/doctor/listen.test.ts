import { createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { checkListen } from '../../src/doctor/listen.ts'
import { listenSilently } from '../support/cli/doctor.ts'
import { freePort, listen, serveHttp } from '../support/net/listen.ts'

const NEVER = new AbortController().signal
const at = (port: number, host = '127.0.0.1') => ({ listen: `${host}:${port}`, tokens: {} })
const alive = (answer: string) => serveHttp((req, res) => res.writeHead(req.url === '/livez' ? 200 : 404).end(answer))

describe('the address of the API', () => {
  test('that nobody has is in order, and is free again', async () => {
    const port = await freePort()
    expect(await checkListen(at(port), NEVER)).toMatchObject({ status: 'ok', message: `nothing else listens on 127.0.0.1:${port}` })
    const server = createServer()
    onTestFinished(() => void server.close())
    expect(await listen(server, port)).toBe(port)
  })

  test('where a Nightshift listens is in order, also when it listens on all addresses', async () => {
    await using server = await alive('{"status":"ok"}')
    expect(await checkListen(at(server.port), NEVER)).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('Nightshift listens'),
    })
    const everywhere = { ...at(server.port, '0.0.0.0'), tokens: { caller: {} } }
    expect(await checkListen(everywhere, NEVER)).toMatchObject({ status: 'ok', message: expect.stringContaining('Nightshift listens') })
  })

  test('where another program listens is a fault of the configuration', async () => {
    await using server = await alive('hello')
    expect(await checkListen(at(server.port), NEVER)).toMatchObject({
      status: 'failed',
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('EADDRINUSE'),
      cure: expect.stringContaining('api.listen'),
    })
  })

  test('that this machine does not have is a fault, and so is one for all without anybody who is known', async () => {
    // Of a network for documents: no machine has it.
    expect(await checkListen({ ...at(8480, '192.0.2.1'), tokens: { caller: {} } }, NEVER)).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('EADDRNOTAVAIL'),
    })
    expect(await checkListen(at(8480, '0.0.0.0'), NEVER)).toMatchObject({ status: 'failed', code: 'CONFIG_INVALID' })
  })

  test('where something listens that says nothing ends with the signal', async () => {
    await using silent = await listenSilently()
    const ending = new AbortController()
    const checking = checkListen(at(silent.port), ending.signal)
    await silent.connected
    ending.abort(new Error('Ctrl-C'))
    await expect(checking).rejects.toThrow('Ctrl-C')
  })
})
