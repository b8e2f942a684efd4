import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { createJobRegistry, type JobRegistry } from '../../src/jobs/registry.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { countingRoute, startCountingServer } from '../support/mcp/counting-server.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { createJobFiles, GOOD, OFFER } from '../support/app/job-files.ts'

const { freshDir, plain } = createJobFiles()
const READ_AGAIN = 'Job files were read again.'
const FAULTS = 'Job files have faults: the jobs from before stay in force.'

interface Watched {
  dir: string
  registry: JobRegistry
  write(file: string, text: string): void
  /** Resolves when the registry has said so once more than at the last time it was waited for. */
  said(what: string): Promise<void>
  lines: string[]
}

function watched(files: Record<string, string>, dir = freshDir(), lookMs?: number): Watched {
  const write = (file: string, text: string) => writeFileSync(join(dir, file), text)
  for (const [file, text] of Object.entries(files)) write(file, text)
  const lines: string[] = []
  const heard = new Map<string, number>()
  const watchers = new Set<() => void>()
  const stream = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk))
      for (const look of watchers) look()
      done()
    },
  })
  const registry = createJobRegistry({ dir, offer: () => OFFER, log: pino({}, stream), ...(lookMs !== undefined && { lookMs }) })
  onTestFinished(() => registry.stop())
  return {
    dir,
    registry,
    write,
    lines,
    said: (what) =>
      new Promise((done) => {
        const look = () => {
          const count = lines.filter((line) => line.includes(what)).length
          if (count <= (heard.get(what) ?? 0)) return
          heard.set(what, count)
          watchers.delete(look)
          done()
        }
        watchers.add(look)
        look()
      }),
  }
}

const promptOf = ({ registry }: Watched, name: string) => registry.jobs().get(name)?.definition.prompt
const names = ({ registry }: Watched) => [...registry.jobs().keys()]

test('a file that is written, changed or removed is in force soon after', async () => {
  const one = watched({ 'a.yaml': GOOD })
  one.registry.start()
  one.write('b.yaml', GOOD)
  await one.said(READ_AGAIN)
  expect(names(one)).toEqual(['a', 'b'])
  one.write('a.yaml', GOOD.replace('Go', 'Go on'))
  await one.said(READ_AGAIN)
  expect(promptOf(one, 'a')).toBe('Go on')
  rmSync(join(one.dir, 'b.yaml'))
  await one.said(READ_AGAIN)
  expect(names(one)).toEqual(['a'])
  expect(one.lines.at(-1)).toContain('"gone":["b"]')
})

test('an editor that writes beside a file and renames is noticed', async () => {
  const one = watched({ 'a.yaml': GOOD })
  one.registry.start()
  one.write('.a.yaml.swp', 'x')
  one.write('a.yaml~', GOOD.replace('Go', 'New'))
  renameSync(join(one.dir, 'a.yaml~'), join(one.dir, 'a.yaml'))
  await one.said(READ_AGAIN)
  expect(promptOf(one, 'a')).toBe('New')
})

test('a config map of Kubernetes, which swaps a link to a directory, is noticed as one change', async () => {
  const one = watched({})
  const version = (name: string, prompt: string) => {
    mkdirSync(join(one.dir, name))
    for (const file of ['a.yaml', 'b.yaml']) writeFileSync(join(one.dir, name, file), GOOD.replace('Go', prompt))
  }
  version('..2026_11_24', 'one')
  symlinkSync('..2026_11_24', join(one.dir, '..data'))
  for (const file of ['a.yaml', 'b.yaml']) symlinkSync(`..data/${file}`, join(one.dir, file))
  expect(one.registry.reload()).toBe(true)
  await one.said(READ_AGAIN)
  one.registry.start()
  version('..2026_11_25', 'two')
  symlinkSync('..2026_11_25', join(one.dir, '..data_tmp'))
  renameSync(join(one.dir, '..data_tmp'), join(one.dir, '..data'))
  rmSync(join(one.dir, '..2026_11_24'), { recursive: true })
  await one.said(READ_AGAIN)
  expect([promptOf(one, 'a'), promptOf(one, 'b')]).toEqual(['two', 'two'])
})

test('a fault in one file keeps all old versions in force, and is shown until it is mended', async () => {
  const one = watched({ 'a.yaml': GOOD, 'b.yaml': GOOD })
  one.registry.start()
  one.write('b.yaml', 'account: [')
  await one.said(FAULTS)
  one.write('a.yaml', GOOD.replace('Go', 'New'))
  one.write('c.yaml', GOOD)
  await one.said(FAULTS)
  expect([names(one), promptOf(one, 'a')]).toEqual([['a', 'b'], 'Go'])
  expect(plain(one.dir, one.registry.issues()).join()).toMatch(/^b\.yaml:1: /)
  expect(one.registry.reload()).toBe(false)
  rmSync(join(one.dir, 'b.yaml'))
  await one.said(READ_AGAIN)
  expect([names(one), promptOf(one, 'a'), one.registry.issues()]).toEqual([['a', 'c'], 'New', []])
})

test('a file that changed before the registry began to watch is in force as soon as it does', () => {
  const one = watched({ 'a.yaml': GOOD })
  one.write('a.yaml', GOOD.replace('Go', 'New'))
  one.write('b.yaml', GOOD)
  one.registry.start()
  expect([names(one), promptOf(one, 'a')]).toEqual([['a', 'b'], 'New'])
})

test('without a file watch a reload does the same; one that changes nothing logs nothing', () => {
  const one = watched({ 'a.yaml': GOOD })
  one.write('a.yaml', `# a comment\n${GOOD}`)
  expect([one.registry.reload(), one.lines]).toEqual([true, []])
  one.write('a.yaml', GOOD.replace('Go', 'New'))
  expect(one.registry.reload()).toBe(true)
  expect(one.lines.join()).toContain('"changed":["a"]')
})

test('a directory that goes away leaves the jobs in force, and is a fault until it is back', () => {
  const one = watched({ 'a.yaml': GOOD })
  renameSync(one.dir, `${one.dir}-gone`)
  one.registry.start()
  expect([names(one), one.registry.issues().length]).toEqual([['a'], 1])
  expect(one.lines.join()).toContain('send SIGHUP')
  renameSync(`${one.dir}-gone`, one.dir)
  expect([one.registry.reload(), one.registry.issues()]).toEqual([true, []])
})

test('a link to a directory that is swapped for another is followed, and so is every later change', async () => {
  const root = freshDir()
  const release = (name: string, prompt: string) => {
    mkdirSync(join(root, name))
    writeFileSync(join(root, name, 'a.yaml'), GOOD.replace('Go', prompt))
    symlinkSync(name, join(root, 'next'))
    renameSync(join(root, 'next'), join(root, 'current'))
  }
  release('one', 'One')
  const one = watched({}, join(root, 'current'), 20)
  one.registry.start()
  release('two', 'Two')
  await one.said(READ_AGAIN)
  expect(promptOf(one, 'a')).toBe('Two')
  one.write('b.yaml', GOOD)
  await one.said(READ_AGAIN)
  expect(names(one)).toEqual(['a', 'b'])
})

test.each([
  ['the longest wait', 3_600_000],
  ['the next look', 2],
])('writing that does not end puts a change off no longer than to %s', async (_, lookMs) => {
  const one = watched({ 'a.yaml': GOOD }, freshDir(), lookMs)
  one.registry.start()
  one.write('b.yaml', GOOD)
  const writing = setInterval(() => one.write('note.txt', String(performance.now())), 20)
  await one.said(READ_AGAIN)
  clearInterval(writing)
  expect(names(one)).toEqual(['a', 'b'])
})

test('a directory that is made anew is watched again, without a signal', async () => {
  const one = watched({ 'a.yaml': GOOD }, freshDir(), 20)
  one.registry.start()
  renameSync(one.dir, `${one.dir}-old`)
  mkdirSync(one.dir)
  one.write('a.yaml', GOOD.replace('Go', 'New'))
  await one.said(READ_AGAIN)
  one.write('b.yaml', GOOD)
  await one.said(READ_AGAIN)
  expect([names(one), promptOf(one, 'a'), one.registry.issues()]).toEqual([['a', 'b'], 'New', []])
})

test('a reload by hand watches the directory that has the name now', async () => {
  const one = watched({ 'a.yaml': GOOD }, freshDir(), 3_600_000)
  one.registry.start()
  renameSync(one.dir, `${one.dir}-old`)
  mkdirSync(one.dir)
  one.write('a.yaml', GOOD)
  one.registry.reload()
  one.write('b.yaml', GOOD)
  await one.said(READ_AGAIN)
  expect(names(one)).toEqual(['a', 'b'])
})

test('a file that did not change is not read again, and its lock file counts as a part of it', () => {
  const one = watched({ 'a.yaml': GOOD, 'b.yaml': GOOD })
  const before = one.registry.jobs().get('a')
  one.write('b.yaml', GOOD.replace('Go', 'New'))
  one.registry.reload()
  expect(one.registry.jobs().get('a')).toBe(before)
  one.write('a.lock.yaml', 'tools: {}\n')
  one.registry.reload()
  expect(one.registry.jobs().get('a')).not.toBe(before)
})

test('start and stop can be called twice, and nothing is read after stop', async () => {
  const one = watched({ 'a.yaml': GOOD })
  for (const step of ['start', 'start', 'stop', 'stop'] as const) one.registry[step]()
  const other = watched({}, one.dir)
  other.registry.start()
  one.write('b.yaml', GOOD)
  await other.said(READ_AGAIN)
  expect([names(one), names(other)]).toEqual([['a'], ['a', 'b']])
})

test('a run under way and one that is queued keep the version they were asked with', async () => {
  await using server = await startCountingServer()
  const job = (prompt: string) =>
    `account: reports\nmodel: { provider: openai, name: scripted }\nprompt: ${prompt}\ntools:\n  counting: { allow: [act] }\n`
  await using testApp = await buildTestApp({
    routes: [countingRoute(server)],
    jobs: { act: job('Old') },
    scripts: { scripted: 'call counting__act {}\nsay done' },
    config: { worker: { concurrency: 1 } },
  })
  const { app, dir, world } = testApp
  const gate = Promise.withResolvers<string>()
  server.answer = () => gate.promise
  await app.worker.start()
  const running = await testApp.queue('act')
  await server.nextCall()
  const queued = await testApp.queue('act')
  const before = app.jobs.jobs().get('act')?.version
  writeFileSync(join(dir, 'jobs/act.yaml'), job('New'))
  expect(app.jobs.reload()).toBe(true)
  const later = await testApp.queue('act')
  gate.resolve('done')
  for (const id of [running, queued, later]) await testApp.finished(id)
  const versions = await Promise.all([running, queued, later].map(async (id) => (await loadRun(app.db, id))?.jobVersion))
  expect(versions).toEqual([before, before, app.jobs.jobs().get('act')?.version])
  expect(new Set(versions).size).toBe(2)
  const prompts = world.model.requests.map((request) => (JSON.stringify(request).includes('New') ? 'New' : 'Old'))
  expect(prompts).toEqual(['Old', 'Old', 'Old', 'Old', 'New', 'New'])
})
