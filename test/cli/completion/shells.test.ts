import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { environment } from '../../../src/config/environment.ts'
import { SHELLS, type Shell } from '../../../src/cli/completion/scripts.ts'
import { BIN, command } from '../../support/cli/command.ts'

const CONFIG = 'gateway: { url: https://mcp.example.com }\naccounts: { reports: { token: x } }\nproviders: {}\njobsDir: jobs\n'

/** What a shell is told to do, to show what it completes of a command line: a line for each, files as the shell finds them. */
const DRIVERS: Record<Shell, (script: string, line: readonly string[]) => string[]> = {
  bash: (script, line) => [
    '--norc', '-c',
    'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { echo files; }; _nightshift; printf "%s\\n" "${COMPREPLY[@]}"',
    script, ...line,
  ],
  zsh: (script, line) => [
    '-f', '-c',
    'compdef() { :; }; _files() { echo files; }; _describe() { print -rl -- "${(@P)2}"; }; source "$0"; words=("$@"); CURRENT=$#; _nightshift',
    script, ...line,
  ],
  fish: (script, line) => [
    '--no-config', '-c',
    'source $argv[1]; function __fish_complete_path; echo files; end; complete -C "$argv[2]"',
    script, line.join(' '),
  ],
} // prettier-ignore

const isThere = (shell: Shell) => spawnSync(shell, ['--version']).status === 0

describe.each(SHELLS.filter((shell) => shell === 'bash' || isThere(shell)))('%s', (shell) => {
  test('completes commands, options, choices, jobs and files, and evaluates nothing of what is typed', { timeout: 180_000 }, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'nightshift-completion-'))
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    const { out: script, code } = await command(['completion', shell])
    expect(code).toBe(0)
    const [file, config, bin] = [join(dir, 'completion'), join(dir, 'nightshift.yaml'), join(dir, 'nightshift')]
    writeFileSync(file, script)
    writeFileSync(config, CONFIG)
    writeFileSync(bin, `#!/bin/sh\nexec ${process.execPath} ${BIN} "$@"\n`, { mode: 0o755 })
    mkdirSync(join(dir, 'jobs'))
    for (const job of ['report', 'trend', '$(touch hurt)']) writeFileSync(join(dir, 'jobs', `${job}.yaml`), '')
    const completed = (...words: string[]) => {
      const { stdout, stderr } = spawnSync(shell, DRIVERS[shell](file, ['nightshift', ...words]), {
        encoding: 'utf8',
        cwd: dir,
        env: { ...environment, PATH: `${dir}:${environment['PATH'] ?? ''}`, NIGHTSHIFT_CONFIG: config, HOME: dir },
      })
      expect(stderr).toBe('')
      const lines = stdout.split('\n').map((line) => line.split(/[\t:]/)[0] ?? '')
      return lines.filter((line) => line !== '').toSorted()
    }
    expect(completed('ru')).toEqual(['run', 'runs'])
    expect(completed('run', '')).toEqual(['report', 'trend'])
    expect(completed('runs', '--group', '')).toEqual(['code', 'job', 'status'])
    expect(completed('runs', '--sta')).toEqual(['--status'])
    expect(completed('evidence', 'verify', '')).toEqual(['files'])
    expect(completed('show', 'la')).toEqual(['latest'])
    completed('show', '$(touch hurt)', '`touch hurt`', '"; touch hurt; "')
    expect(readdirSync(dir)).not.toContain('hurt')
  })
})

test('a configuration with a fault, or none, gives no jobs and no words of ours', async () => {
  expect(await command(['complete', 'bash', '--', '-c', '/nowhere.yaml', 'run', ''])).toEqual({ code: 0, out: '', err: '' })
})
