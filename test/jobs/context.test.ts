import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { loadJobs } from '../../src/jobs/directory.ts'
import { createJobFiles, GOOD, OFFER } from '../support/app/job-files.ts'

const files = createJobFiles()

/** A directory with a job that names these entries, and other files beside it. */
function write(entries: unknown, beside: Record<string, string | Uint8Array> = {}, text = GOOD): string {
  const dir = files.freshDir()
  writeFileSync(join(dir, 'job.yaml'), `${text}context: ${JSON.stringify(entries)}\n`)
  for (const [name, content] of Object.entries(beside)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), content)
  }
  return dir
}

const load = (dir: string) => loadJobs(dir, OFFER).jobs.get('job')
const faults = (dir: string) => files.plain(dir, loadJobs(dir, OFFER).issues)

test('the text of a file stands in the definition, so that the version changes with it', () => {
  const dir = write([{ file: 'terms/words.md' }], { 'terms/words.md': 'GL is the general ledger.\n' })
  const first = load(dir)
  expect(first?.definition.context).toEqual([{ file: 'terms/words.md', text: 'GL is the general ledger.' }])
  writeFileSync(join(dir, 'terms/words.md'), 'GL is the gross ledger.\n')
  expect(load(dir)?.version).not.toBe(first?.version)
})

test('resources and prompts need no server where the job has one', () => {
  const entries = [
    { resource: 'ledger://terms' },
    { prompt: 'monthly', server: 'labor', arguments: { month: '{{ fire_time | date: "%m" }}' } },
  ]
  expect(load(write(entries))?.definition.context).toEqual(entries)
})

const TWO = GOOD.replace('tools:', 'tools:\n  other: { allow: [look] }')

test.each([
  ['nothing', [{}], 'context.0 needs exactly one of file, resource and prompt'],
  ['two of them', [{ file: 'a.md', prompt: 'x' }], 'context.0 needs exactly one of file, resource and prompt'],
  ['a server of a file', [{ file: 'a.md', server: 'labor' }], 'context.0 names a file, which has no server; take server out'],
  ['arguments of a resource', [{ resource: 'a:b', arguments: {} }], 'context.0 has arguments, which only a prompt takes; take them out'],
  ['the text itself', [{ file: 'a.md', text: 'x' }], 'context.0.text is not a known key'],
  [
    'a server that the job has not',
    [{ prompt: 'x', server: 'laber' }],
    'context.0.server is laber, which is not under tools:; did you mean labor?',
  ],
  ['a template that is none', [{ prompt: 'x', arguments: { m: '{{ mnth }}' } }], 'context.0.arguments.m uses the unknown variable mnth'],
  [
    'a file that is not there',
    [{ file: 'none.md' }],
    'context.0.file is none.md, which is not there; correct the name, or put it beside the job file',
  ],
  [
    'a file above its folder',
    [{ file: '../up.md' }],
    'context.0.file is ../up.md, which is not below the folder of the job file; move it there',
  ],
  ['a folder', [{ file: 'folder' }], 'context.0.file is folder, which is not a file'],
  ['a file that is too large', [{ file: 'large.md' }], 'context.0.file is large.md with 64 KB; the model reads all of it'],
  ['a file that is no text', [{ file: 'bytes.md' }], 'context.0.file is bytes.md, which is not UTF-8 text'],
])('%s is a fault with its cure', (_, entries, fault) => {
  const dir = write(entries, {
    'a.md': 'a',
    '../up.md': 'up',
    'folder/x.md': 'x',
    'large.md': 'x'.repeat(65_537),
    'bytes.md': new Uint8Array([0xff, 0xfe, 0x41]),
  })
  expect(faults(dir)).toEqual([expect.stringContaining(fault)])
})

test('an entry without a server is a fault where the job has several', () => {
  expect(faults(write([{ resource: 'a:b' }], {}, TWO))).toEqual([expect.stringContaining('context.0 needs server: one of other, labor')])
})

test('a link that leads out of the folder is a fault', () => {
  const dir = write([{ file: 'link.md' }])
  symlinkSync('/etc/hostname', join(dir, 'link.md'))
  expect(faults(dir)).toEqual([expect.stringContaining('is link.md, which is not below the folder of the job file')])
})
