import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { environment } from '../../src/config/environment.ts'
import { openApi } from '../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'

/** Linters that others hold their documents to, with their strictest rules. They are no packages of ours: npx has them. */
const LINTERS: [name: string, args: string[]][] = [
  ['redocly', ['@redocly/cli@2.77.0', 'lint', 'openapi.json', '--extends=recommended-strict']],
  ['spectral', ['@stoplight/spectral-cli@6.16.3', 'lint', 'openapi.json', '--ruleset=spectral.yaml', '--fail-severity=hint']],
]

test('the document is clean under the linters of others', { timeout: 300_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-lint-'))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rmSync(dir, { recursive: true, force: true }))
  const api = stack.use(await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } }))
  writeFileSync(join(dir, 'openapi.json'), (await api.ask('GET', '/openapi.json', { who: 'nobody' })).text)
  writeFileSync(join(dir, 'spectral.yaml'), 'extends: ["spectral:oas"]\n')
  for (const [name, args] of LINTERS) {
    const child = spawn('npx', ['--yes', ...args], {
      cwd: dir,
      env: { ...environment, npm_config_ignore_scripts: 'true', REDOCLY_TELEMETRY: 'off' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = once(child, 'close')
    const said = await Promise.all([text(child.stdout), text(child.stderr)])
    expect([name, (await ended)[0]], said.join('\n')).toEqual([name, 0])
  }
})
