import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { environment } from '../../src/config/environment.ts'
import { openApi, secretOf } from '../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'

const testApp = { jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } }

const DRIVE = `
import { Api } from './client.ts'

const [url = '', token = ''] = process.argv.slice(2)
const api = new Api<string>({ baseUrl: url, securityWorker: (secret) => ({ headers: { authorization: \`Bearer \${secret}\` } }) })
api.setSecurityData(token)
const { data: jobs } = await api.v1.listJobs()
const ask = (wait?: number) => api.v1.createRun('work', { input: { n: 1 }, priority: 'high' }, { wait }, { headers: { 'idempotency-key': 'k' } })
const { data: ticket } = await ask()
const again = await ask(30)
const { data: run } = await api.v1.getRun(ticket.id, { wait: 30 })
const { data: list } = await api.v1.listRuns({ job: 'work', status: ['succeeded', 'running'] })
const output = await (await fetch(\`\${url}/v1/runs/\${ticket.id}/output\`, { headers: { authorization: \`Bearer \${token}\` } })).text()
const refused = await api.v1.retryRun(ticket.id, { definition: 'latest' }).catch((answer: { status: number; error: { code: string } }) => answer.error.code)
const { data: bulk } = await api.v1.bulkRetry({ filter: { job: 'work' }, dryRun: true })
await api.v1.pauseSchedule('work', { reason: 'a test' })
const { data: resumed } = await api.v1.resumeSchedule('work', { reason: 'the test is over' })
const tools: string[] = run.toolCalls.map(({ tool }) => tool)
const code: string | null = run.failure && run.failure.code
console.log(JSON.stringify({ replayed: again.headers.get('idempotent-replayed'), waited: again.data.run?.status, jobs: jobs.jobs.map(({ name }) => name), status: run.status, tools, code, found: list.runs.some(({ id }) => id === ticket.id), output, refused, count: bulk.count, resumed }))
`

async function run(command: string, args: string[], cwd: string): Promise<{ code: unknown; out: string }> {
  const child = spawn(command, args, { cwd, env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = new Promise((done) => child.once('close', done))
  const out = await text(child.stdout)
  return { code: await exit, out }
}

test(
  'a typed client, made by the line that the documents give, drives the API as Node takes TypeScript',
  { timeout: 120_000 },
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'nightshift-client-'))
    await using stack = new AsyncDisposableStack()
    stack.defer(() => rmSync(dir, { recursive: true, force: true }))
    const api = stack.use(await openApi(testApp))
    const document = join(dir, 'openapi.json')
    writeFileSync(document, (await api.ask('GET', '/openapi.json', { who: 'nobody' })).text)
    const line = /npx (swagger-typescript-api generate .*)/.exec(readFileSync('docs/api.md', 'utf8'))?.[1] ?? ''
    const [command = '', ...args] = line
      .replace('https://nightshift.example.com/openapi.json', document)
      .replace('-o client', `-o ${dir}`)
      .replace('nightshift.ts', 'client.ts')
      .split(' ')
    expect(await run(resolve('node_modules/.bin', command), args, dir)).toMatchObject({ code: 0 })
    writeFileSync(join(dir, 'drive.ts'), DRIVE)
    writeFileSync(join(dir, 'package.json'), '{"type": "module"}')
    symlinkSync(resolve('node_modules'), join(dir, 'node_modules'))
    const options = {
      strict: true,
      noEmit: true,
      module: 'NodeNext',
      target: 'ES2024',
      lib: ['ES2024', 'DOM'],
      types: ['node'],
      allowImportingTsExtensions: true,
    }
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['drive.ts'] }))
    expect(await run(resolve('node_modules/.bin/tsc'), ['-p', '.'], dir)).toEqual({ code: 0, out: '' })
    await api.testApp.app.worker.start()
    const { out } = await run(process.execPath, ['--no-warnings', 'drive.ts', api.url, secretOf('operator')], dir)
    expect(JSON.parse(out)).toEqual({
      replayed: 'true',
      waited: 'succeeded',
      jobs: ['work'],
      status: 'succeeded',
      tools: ['describe_tables'],
      code: null,
      found: true,
      output: 'Done it.',
      refused: 'RUN_NOT_RETRYABLE',
      count: 0,
      resumed: { job: 'work', paused: false, pause: null },
    })
  },
)
