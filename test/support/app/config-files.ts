import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import type { Environment } from '../../../src/config/environment.ts'
import { loadConfig, type Config } from '../../../src/config/load.ts'
import { describeFailure, Failure } from '../../../src/core/failure.ts'

/** Configuration files in a directory of their own, which is gone when the test file is over. */
export function createConfigFiles() {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-config-'))
  afterAll(() => rmSync(dir, { recursive: true, force: true }))
  /** Those that were written, in order. */
  const written: string[] = []
  function write(text: string | Uint8Array): string {
    const file = join(dir, `${written.length}.yaml`)
    writeFileSync(file, text, { mode: 0o600 })
    written.push(file)
    return file
  }
  const load = (text: string, env: Environment = {}): Config => loadConfig({ file: write(text), env })
  /** The message with which a configuration is refused, without its directory. */
  const refused = (text: string | Uint8Array, env: Environment = {}): string => {
    const file = write(text)
    try {
      loadConfig({ file, env })
    } catch (error) {
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', retry: 'never' })
      return error instanceof Failure ? describeFailure(error).replaceAll(file, 'c.yaml') : ''
    }
    return 'loaded'
  }
  return { dir, written, write, load, refused }
}

/** The message of a configuration with one fault. */
export const oneFault = (line: number, fault: string): string =>
  `The configuration has a fault:\n  c.yaml:${line}: ${fault}\nEach key is described in docs/configuration.md.`

/** The least that a configuration needs. */
export const GOOD = `gateway:
  url: https://mcp.example.com
accounts:
  reports:
    token: TOKEN
providers:
  openai:
    apiKey: MODEL_KEY
`
