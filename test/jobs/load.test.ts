import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfiguredJobs } from '../../src/app/open/jobs.ts'
import { loadConfig } from '../../src/config/load.ts'
import { loadJobs } from '../../src/jobs/directory.ts'
import { createJobFiles, GOOD, OFFER as offer } from '../support/app/job-files.ts'

const files = createJobFiles()
const { freshDir, plain } = files

test('a whole file loads with its defaults, and its name is the job’s', () => {
  const dir = freshDir()
  writeFileSync(join(dir, 'weekly.yaml'), GOOD)
  const { jobs, issues } = loadJobs(dir, offer)
  expect(issues).toEqual([])
  expect(jobs.get('weekly')).toMatchObject({
    name: 'weekly',
    version: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    definition: {
      delegate: 'local',
      limits: { turns: 20, toolCalls: 50, deadline: '10m', resultBytes: 262_144 },
      retry: { attempts: 3, backoff: '30s' },
      tools: { labor: { allow: ['query'], repeatable: [], required: true } },
      onUnknown: 'stop',
    },
  })
})

describe('a version', () => {
  const versionOf = (text: string) => {
    const dir = freshDir()
    writeFileSync(join(dir, 'job.yaml'), text)
    return loadJobs(dir, offer).jobs.get('job')?.version
  }
  const version = versionOf(GOOD)

  test.each([
    ['comments', `# yaml-language-server: $schema=x\n${GOOD}# end\n`],
    ['the order of keys', GOOD.split('\n').slice(2).concat(GOOD.split('\n').slice(0, 2)).join('\n')],
    ['defaults that are written out', `${GOOD}retry: { attempts: 3, backoff: 30s }\ndelegate: local\n`],
    ['a $schema key, a byte order mark and Windows newlines', `\ufeff$schema: x\n${GOOD}`.replaceAll('\n', '\r\n')],
  ])('does not depend on %s', (_, text) => {
    expect(versionOf(text)).toBe(version)
  })

  test.each([
    ['the prompt', GOOD.replace('Go', 'Go on')],
    ['a limit', `${GOOD}limits: { turns: 19 }\n`],
    ['the order of a list', GOOD.replace('[query]', '[query, other]')],
  ])('depends on %s', (_, text) => {
    expect(versionOf(text)).toMatch(/^sha256:/)
    expect(versionOf(text)).not.toBe(version)
  })
})

describe('a file that cannot be read', () => {
  test('is named, and the others are not touched', () => {
    const dir = freshDir()
    for (const name of ['good.yaml', 'other.yml', 'notes.txt', 'pinned.lock.yaml']) writeFileSync(join(dir, name), GOOD)
    mkdirSync(join(dir, 'a-directory.yaml'))
    execFileSync('mkfifo', [join(dir, 'a-pipe.yaml')])
    symlinkSync('/dev/zero', join(dir, 'endless.yaml'))
    symlinkSync(join(dir, 'gone'), join(dir, 'dangling.yaml'))
    writeFileSync(join(dir, 'bytes.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe]))
    writeFileSync(join(dir, 'empty.yaml'), '')
    writeFileSync(join(dir, 'huge.yaml'), `${GOOD}#${'x'.repeat(1_048_576)}`)
    const { jobs, issues } = loadJobs(dir, offer)
    expect([...jobs.keys()]).toEqual(['good', 'other'])
    expect(plain(dir, issues)).toMatchInlineSnapshot(`
      [
        "a-directory.yaml:1: is not a file; move it away or give it another ending",
        "a-pipe.yaml:1: is not a file; move it away or give it another ending",
        "bytes.yaml:1: cannot be read: it is not UTF-8 text",
        "dangling.yaml:1: cannot be read: ENOENT: no such file or directory, stat 'dangling.yaml'",
        "empty.yaml:1: is empty",
        "endless.yaml:1: is not a file; move it away or give it another ending",
        "huge.yaml:1: is larger than 1 MiB; make it smaller",
      ]
    `)
  })

  test('a directory that is not there says what to do', () => {
    const nowhere = join(freshDir(), 'nowhere')
    expect(() => loadJobs(nowhere, offer)).toThrow(
      expect.objectContaining({
        message: `The directory of job files cannot be read: ENOENT: no such file or directory, scandir '${nowhere}'.`,
        cure: 'Make it, or correct jobsDir.',
      }),
    )
  })

  test('an empty directory has no jobs and no faults', () => {
    expect(loadJobs(freshDir(), offer)).toEqual({ jobs: new Map(), issues: [], warnings: [] })
  })
})

test('of two files for one job the first counts, and the second is named with it', () => {
  const dir = freshDir()
  writeFileSync(join(dir, 'job.yaml'), GOOD)
  writeFileSync(join(dir, 'job.yml'), GOOD.replace('Go', 'Stop'))
  const { jobs, issues } = loadJobs(dir, offer)
  expect(jobs.get('job')?.definition.prompt).toBe('Go')
  expect(plain(dir, issues)).toMatchInlineSnapshot(`
    [
      "job.yml:1: job.yaml defines the job job already; remove one of them",
    ]
  `)
})

test.each([
  'Upper.yaml',
  'a b.yaml',
  '-x.yaml',
  'a.b.yaml',
  '.yaml',
  'ümlaut.yaml',
  '..%2fx.yaml',
  `${'x'.repeat(64)}.yaml`,
  '$(reboot).yaml',
  '__proto__.yaml',
])('a file named %s is no job', (file) => {
  expect(files.faults(GOOD, file)).toEqual([`${file}:1: its name is the job’s name: use lower-case letters, digits and dashes`])
})

test('a hostile file name is shown on one line and does nothing to a terminal', () => {
  expect(files.faults(GOOD, 'x\ny\u001b[31m\u202e.yaml')).toMatchInlineSnapshot(`
    [
      "x y\\u001b[31m\\u202e.yaml:1: its name is the job’s name: use lower-case letters, digits and dashes",
    ]
  `)
})

test('the jobs that are shipped fit the configuration that is shipped', () => {
  const config = loadConfig({ file: 'config/nightshift.yaml', env: {} })
  const { jobs, issues } = loadConfiguredJobs(config)
  expect(issues).toEqual([])
  expect([...jobs.keys()]).toEqual(['industry-trend', 'labor-report'])
})
