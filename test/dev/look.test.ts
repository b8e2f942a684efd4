import { createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startStdioServer } from '../../src/demo/servers/stdio.ts'
import { lookAt, type RunningDevServer } from '../../src/dev/look.ts'

const FAULTY = join(import.meta.dirname, '../support/mcp/stdio-faulty.mjs')
const CALC = join(import.meta.dirname, '../support/mcp/stdio-calc.ts')

const look = async (server: RunningDevServer, withinMs?: number) => {
  const slow: string[] = []
  const signal = new AbortController().signal
  await lookAt(server, { signal, onSlow: () => slow.push('slow'), slowMs: 10, ...(withinMs !== undefined && { withinMs }) })
  return slow
}

async function startProgram(command: string, args: string[]) {
  const running = await startStdioServer({ command, args, env: {}, cwd: import.meta.dirname })
  const server: RunningDevServer = { name: 'calc', url: running.url, program: { line: [command, ...args].join(' '), fault: running.fault } }
  return { server, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
}

async function startAnswers(listener: RequestListener) {
  const http = createServer(listener).listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`
  const server: RunningDevServer = { name: 'calc', url, program: undefined }
  return {
    server,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      await new Promise((done) => http.close(done))
    },
  }
}

test('a program that serves MCP is well, and is told of when it is slow', async () => {
  await using calc = await startProgram(process.execPath, [CALC])
  expect(await look(calc.server)).toEqual(['slow'])
})

test.each<[what: string, command: string, args: string[], said: RegExp, cure: RegExp]>([
  [
    'is not there',
    'no-such-program',
    ['x'],
    /calc cannot be started: there is no program no-such-program( that this user may run)?\./,
    /no-such-program x.*PATH/,
  ],
  ['may not be run', FAULTY, [], /calc cannot be started: there is no program .*stdio-faulty\.mjs that this user may run\./, /PATH/],
  [
    'ends at once',
    process.execPath,
    [FAULTY, 'start'],
    /calc ended before it answered; what it wrote stands above/,
    /Run it by itself: .*stdio-faulty/,
  ],
  [
    'never answers',
    process.execPath,
    [FAULTY, 'silent'],
    /calc \(.*stdio-faulty.*\) did not answer initialize within 2 s/,
    /standard input and output/,
  ],
])('says what is wrong with a program that %s', async (_, command, args, said, cure) => {
  await using calc = await startProgram(command, args)
  await expect(look(calc.server, args[1] === 'silent' ? 2000 : undefined)).rejects.toMatchObject({
    code: 'COMMAND_INVALID',
    message: expect.stringMatching(said),
    cure: expect.stringMatching(cure),
  })
})

test.each<[what: string, answer: RequestListener, said: RegExp, cure: RegExp]>([
  [
    'is elsewhere',
    (_, res) => res.writeHead(307, { location: 'http://127.0.0.1:1/mcp' }).end(),
    /HTTP 307, to http:\/\/127\.0\.0\.1:1\/mcp/,
    /that address/,
  ],
  ['has another path', (_, res) => res.writeHead(404).end(), /HTTP 404/, /often \/mcp/],
  ['wants a key', (_, res) => res.writeHead(401).end(), /HTTP 401/, /without a key/],
  ['has a fault', (_, res) => res.writeHead(500).end(), /HTTP 500/, /its own log/],
  ['is a web page', (_, res) => res.writeHead(200).end('<html>'), /with no message of MCP/, /often \/mcp/],
])('says what is wrong with an address that %s', async (_, answer, said, cure) => {
  await using site = await startAnswers(answer)
  await expect(look(site.server)).rejects.toMatchObject({ message: expect.stringMatching(said), cure: expect.stringMatching(cure) })
})

test('says that nothing answers at an address, with the code of the system', async () => {
  const site = await startAnswers((_, res) => res.end())
  await site[Symbol.asyncDispose]()
  await expect(look(site.server)).rejects.toMatchObject({ message: expect.stringMatching(/Nothing answers at .*ECONNREFUSED/) })
})

test('ends with the command', async () => {
  await using site = await startAnswers(() => {})
  const ended = new AbortController()
  const looked = lookAt(site.server, { signal: ended.signal, onSlow: () => ended.abort(new Error('Ctrl-C')), slowMs: 10 })
  await expect(looked).rejects.toThrow('Ctrl-C')
})
