import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startDemoModel } from '../../../../src/demo/model/model.ts'
import { script } from '../../../../src/demo/model/script.ts'
import { command, program } from '../../../support/cli/command.ts'

const CALC = `calc=${process.execPath} ${join(import.meta.dirname, '../../../support/mcp/stdio-calc.ts')}`

const FAULTY = `calc=${process.execPath} ${join(import.meta.dirname, '../../../support/mcp/stdio-faulty.mjs')}`

const JOB = `account: reports
model: { provider: openai, name: gpt-5.4-mini }
prompt: Add two numbers.
tools: { calc: { allow: [add, erase, match], repeatable: [add, match] } }
output: { schema: { type: object, required: [sum], properties: { sum: { type: number } } } }
deliver: [{ webhook: team }]
`

/** A repository of an author's own. */
function createRepository(job = JOB) {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-author-'))
  chmodSync(dir, 0o711)
  const jobs = join(dir, 'jobs')
  mkdirSync(jobs)
  const file = join(jobs, 'sums.yaml')
  writeFileSync(file, job)
  return {
    dir,
    jobs,
    file,
    recording: join(jobs, 'sums.recorded.json'),
    run: (...args: string[]) => command([...args, '--jobs', jobs]),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  }
}

const startAdder = (answer = '{"sum": 5}') =>
  startDemoModel({ scripts: { small: script(`call calc__add {"a": 2, "b": 3}\nsay ${answer}`) }, apiKey: 'none' })

describe('nightshift dev', () => {
  test('runs a job with its own server on standard input and output: the echo model calls what is repeatable, and makes up an answer', async () => {
    using repository = createRepository()
    const { code, out } = await repository.run('dev', 'sums', '--once', '--mcp', CALC)
    expect(code).toBe(0)
    expect(out).toContain('Add two numbers.')
    expect(out).toMatch(/calc add .*ok/)
    expect(out).not.toMatch(/calc (?:erase|match)/)
    expect(out).toContain('The answer, made up\nsum: 1')
    expect(out).toContain('would go to webhook team; here it goes nowhere')
    expect(out).toMatch(/run +succeeded/)
    expect(readdirSync(repository.jobs)).toEqual(['sums.yaml'])
  })

  test('says of each tool what the echo model saw of it, where the answer is text', async () => {
    using repository = createRepository(JOB.replace(/^output.*\n/m, ''))
    const { out } = await repository.run('dev', '--once', '--mcp', CALC)
    expect(out).toContain('- calc__add gave: 2')
    expect(out).toContain('- calc__erase: not called: the job does not say that it is repeatable')
    expect(out).toContain('- calc__match: not called: no arguments can be made up for its schema')
  })

  test('says what the echo model does not call, where a job is not green for it; a model of the author’s is not meant', async () => {
    using repository = createRepository(JOB.replace(', repeatable: [add, match]', ''))
    const { code, out } = await repository.run('dev', '--once', '--mcp', CALC)
    expect({ code, out }).toEqual({ code: 4, out: expect.stringContaining('NO_TOOL_RESULT') })
    const note = 'the echo model calls only what is under tools.<server>.repeatable'
    expect(out).toContain(note)
    await using model = await startDemoModel({ scripts: { small: script('say {"sum": 5}') }, apiKey: 'none' })
    const asked = await repository.run('dev', '--once', '--mcp', CALC, '--model', model.url, '--model-name', 'small')
    expect(asked.out).toContain('NO_TOOL_RESULT')
    expect(asked.out).not.toContain(note)
  })

  test('asks a model server of the author’s under its own name, and keeps its answers; nightshift test gives them again without it', async () => {
    using repository = createRepository()
    {
      await using model = await startAdder()
      const { code, out } = await repository.run('dev', 'sums', '--once', '--record', '--mcp', CALC, '--model', model.url, '--model-name', 'small') // prettier-ignore
      expect({ code, sum: out.includes('sum: 5') }).toEqual({ code: 0, sum: true })
    }
    const again = await repository.run('test', '--mcp', CALC)
    expect(again).toMatchObject({ code: 0 })
    expect(again.out).toMatch(/^ok +sums: succeeded$/)
    // Another answer is wanted than was given.
    writeFileSync(
      repository.file,
      JOB.replace('type: number', 'type: string').replace('[add, match]', '[match]').replace('[add, erase, match]', '[erase, match]'),
    )
    const changed = await repository.run('test', 'sums', '--mcp', CALC)
    expect(changed.code).toBe(1)
    expect(changed.out).toMatch(/not ok +sums: (?:incomplete|failed)/)
    expect(changed.out).toMatch(/was succeeded, is (?:incomplete|failed)/)
    expect(changed.out).toContain('not called as before: calc add ok')
    expect(changed.out).toContain('called otherwise: calc__add refused: there is no tool calc__add')
    expect(changed.out).toContain('sums has changed since it was recorded')
  })

  test('keeps nothing of what a provider put beside its words', async () => {
    using repository = createRepository()
    await using model = await startAdder()
    await repository.run('dev', 'sums', '--once', '--record', '--mcp', CALC, '--model', model.url, '--model-name', 'small', '--api', 'responses') // prettier-ignore
    const kept = readFileSync(repository.recording, 'utf8')
    expect(kept).not.toContain('"raw"')
    expect(JSON.parse(kept)).toMatchObject({ format: 'nightshift-recording/1', model: 'small', expect: { status: 'succeeded', calls: ['calc add ok'] } }) // prettier-ignore
  })

  test('says at once what is wrong with a server, before a run waits for it', async () => {
    using repository = createRepository()
    const { code, out, err } = await repository.run('dev', 'sums', '--once', '--mcp', 'calc=no-such-program x')
    expect({ code, attempts: /attempt/.test(out), err }).toEqual({ code: 2, attempts: false, err: expect.stringContaining('there is no program no-such-program') }) // prettier-ignore
  })

  test('tries a run once, and says of a server that ended under it; there is none to retry', async () => {
    using repository = createRepository(JOB.replace('[add, erase, match], repeatable: [add, match]', '[add], repeatable: [add]'))
    const { code, out } = await repository.run('dev', 'sums', '--once', '--mcp', `${FAULTY} call`)
    expect(code).toBe(1)
    expect(out.match(/UPSTREAM_UNAVAILABLE/g)).toHaveLength(1)
    expect(out).toContain('the program of calc ended by itself; what it wrote stands above')
    expect(out).not.toContain('nightshift retry')
  })

  test('runs a hosted job by the worker, and says so', async () => {
    using repository = createRepository(`delegate: hosted\n${JOB}`)
    const { code, out } = await repository.run('dev', 'sums', '--once', '--mcp', CALC)
    expect(code).toBe(0)
    expect(out).toContain('It is hosted; here the worker calls the servers')
  })

  test('runs again when the file is saved; a fault is shown in place of a run', { timeout: 60_000 }, async () => {
    using repository = createRepository()
    const running = program(['dev', 'sums', '--jobs', repository.jobs, '--mcp', CALC])
    await running.says('It runs again when sums is saved')
    writeFileSync(repository.file, JOB.replace('Add two', 'Add three'))
    await running.says('Add three numbers.')
    writeFileSync(repository.file, JOB.replace('account:', 'acount:'))
    await running.says('sums.yaml:1')
    running.child.kill('SIGINT')
    expect((await running.ended).code).toBe(130)
  })

  test.each<[what: string, args: string[], said: RegExp]>([
    ['a server that was not named', ['sums', '--once'], /COMMAND_INVALID The job sums needs the server calc.*--mcp calc=http/],
    ['a server without a name', ['sums', '--mcp', '=node x'], /COMMAND_INVALID --mcp =node x has no name of a server/],
    ['a server without an address', ['sums', '--mcp', 'calc='], /COMMAND_INVALID --mcp calc= names neither an address nor a command/],
    ['an address that is none', ['sums', '--mcp', 'calc=http://'], /COMMAND_INVALID --mcp calc=http:\/\/ has an address that is none/],
    ['a model that is no address', ['sums', '--mcp', CALC, '--model', 'gpt'], /COMMAND_INVALID --model gpt is no address/],
    ['a job that there is not', ['sum', '--once', '--mcp', CALC], /JOB_UNKNOWN There is no job sum; there are sums\. Did you mean sums\?/],
  ])('says what to do about %s', async (_, args, said) => {
    using repository = createRepository()
    const { code, err } = await repository.run('dev', ...args)
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(said) })
    expect(existsSync(repository.recording)).toBe(false)
  })
})

describe('nightshift test', () => {
  test('says how a recording is made, where there is none', async () => {
    using repository = createRepository()
    expect(await repository.run('test', '--mcp', CALC)).toMatchObject({ code: 2, err: expect.stringContaining('No job has a recording. Make one') }) // prettier-ignore
    expect(await repository.run('test', 'sums', '--mcp', CALC)).toMatchObject({ code: 2, err: expect.stringContaining('The job sums has no recording') }) // prettier-ignore
  })

  test.each([
    ['not JSON', '{'],
    ['of another form', '{"format":"nightshift-recording/1","job":7}'],
  ])('refuses a recording that is %s', async (_, content) => {
    using repository = createRepository()
    writeFileSync(repository.recording, content)
    expect(await repository.run('test', '--mcp', CALC)).toMatchObject({ code: 2, err: expect.stringContaining('is no recording') })
  })

  test('fails where the run asks for more than was recorded', async () => {
    using repository = createRepository()
    const turn = { items: [{ type: 'tool_call', callId: 'c', name: 'calc__add', arguments: '{"a":1,"b":1}' }], stopReason: 'end', usage: { inputTokens: 1, cachedTokens: 0, outputTokens: 1, reasoningTokens: 0 } } // prettier-ignore
    writeFileSync(
      repository.recording,
      JSON.stringify({ format: 'nightshift-recording/1', job: 'sums', version: 'v', model: 'm', recordedAt: '2026-11-28T00:00:00Z', input: {}, turns: [turn], expect: { status: 'succeeded', codes: [], calls: ['calc add ok'] } }),
    ) // prettier-ignore
    const { code, out } = await repository.run('test', '--mcp', CALC)
    expect(code).toBe(1)
    expect(out).toContain('The recording has 1 answer, and the run asks for one more: it goes another way')
  })

  /** What the model said in one run, without a call. */
  const record = (file: string, text: string) => {
    const turn = { items: [{ type: 'message', text }], stopReason: 'end', usage: { inputTokens: 1, cachedTokens: 0, outputTokens: 1, reasoningTokens: 0 } } // prettier-ignore
    writeFileSync(file, JSON.stringify({ format: 'nightshift-recording/1', job: 'sums', version: 'v', model: 'm', recordedAt: '2026-11-28T00:00:00Z', input: {}, turns: [turn], expect: { status: 'succeeded', codes: [], calls: [] } })) // prettier-ignore
  }
  const bare = JOB.replace(/^tools.*/m, 'tools: { calc: { allow: [add], required: false } }')

  test('says why the recorded answer is not taken any more, once', async () => {
    using repository = createRepository(bare)
    record(repository.recording, '{"items": [{"price": 1}]}')
    writeFileSync(repository.file, bare.replace(/output: .*/, 'output: { schema: { type: object, required: [items], properties: { items: { type: array, items: { type: object, required: [name], properties: { name: { type: string } } } } } } }')) // prettier-ignore
    const { code, out } = await repository.run('test')
    expect(code).toBe(1)
    expect(out.match(/The recording has 1 answer, and the run asks for one more, since the last one was answered with: .*\/items\/0\/name is missing/g)).toHaveLength(1) // prettier-ignore
    expect(out).toContain('reasons were none, are MODEL_REFUSED')
    expect(out).not.toContain('MODEL_REFUSED, MODEL_REFUSED')
  })

  test('shows what was put right in the answer, which is no failure', async () => {
    using repository = createRepository(bare.replace('type: number', 'type: string'))
    record(repository.recording, '{"sum": 5}')
    const { code, out } = await repository.run('test')
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/mended +.*sum/) })
  })

  test('says at once what is wrong with a server', async () => {
    using repository = createRepository()
    record(repository.recording, '{"sum": 5}')
    const { code, err } = await repository.run('test', '--mcp', `${FAULTY} start`)
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('calc ended before it answered') })
    expect(err).not.toContain('nightshift retry')
  })
})
