import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseServer, readDevSettings } from '../../src/dev/settings.ts'

function read(servers: string) {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-settings-'))
  try {
    mkdirSync(join(dir, 'config'))
    const file = join(dir, 'config/dev.yaml')
    writeFileSync(file, `servers:\n  stock: ${servers}\n`)
    return readDevSettings(file, {}).servers['stock']
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

test.each<[written: string]>([
  ['node stock.mjs --port 1'],
  ['http://127.0.0.1:8000/mcp'],
  ['https://stock.example.com/mcp'],
  ['stock-server'],
])('the file takes a server as --mcp does: %s', (written) => {
  expect(read(written)).toEqual(parseServer(`stock=${written}`)[1])
})

test('the file takes a command with its parts', () => {
  expect(read('{ command: node, args: [a b.js], env: { X: "1" } }')).toEqual({ command: 'node', args: ['a b.js'], env: { X: '1' } })
})

test.each(['ftp://stock', 'http://', '""', '[node]', '7', '{ args: [] }'])('says what a server may be in place of %s', (written) => {
  expect(() => read(written)).toThrow(
    'dev.yaml:2: servers.stock must be an address (http://127.0.0.1:8000/mcp), a command (node server.js), or { command: node, args: [server.js] }',
  )
})
