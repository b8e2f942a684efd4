import { createReadStream, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { createApp, type App } from '../../../app/app.ts'
import { makeTemporary } from '../../../app/open/temporary.ts'
import { importLog } from '../../../audit/log/import.ts'
import { matchEvents } from '../../../audit/join/match.ts'
import { loadConfig } from '../../../config/load.ts'
import { describeFailure } from '../../../core/failure.ts'
import { makeApiToken } from '../../../lib/hash/api-token.ts'
import { createEcho, definitionIn } from '../../../dev/models/echo.ts'
import { forJob } from '../../../dev/models/stand-in.ts'
import { showText } from '../../../lib/text.ts'
import type { World } from '../../../demo/world.ts'
import type { Progress } from '../../../runs/progress.ts'
import { requireJob, requireRun } from '../../../runs/lookup.ts'
import { makeKnown } from '../../../schedules/known.ts'
import type { RunView } from '../../../core/view.ts'
import { exitOfRun } from '../../terminal/exit.ts'
import { createLines, type Lines } from '../../terminal/lines.ts'
import { examples, quietLog, type AddCommand } from '../../options/options.ts'
import { reportText } from '../../terminal/output.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'
import { endsInOrder } from '../../terminal/ending.ts'
import { parseDigits } from '../../../lib/json/parse.ts'

const optionsSchema = z.object({ keep: z.boolean().default(false), json: z.boolean().default(false), hosted: z.boolean().default(false) })

const JOB = 'labor-report'
const JOBS_DIR = join(import.meta.dirname, '../../../../jobs')
const WEEK_MS = 7 * 86_400_000
const WIDE = 120

export const addDemo: AddCommand = (program, terminal, done) => {
  program
    .command('demo')
    .description('run a scheduled report against a stand-in gateway, real MCP servers and a scripted model')
    .option('--hosted', 'let the provider call the servers itself')
    .option('--keep', 'stay up afterwards with the API, until Ctrl-C')
    .option('--json', 'print only the finished run, as show --json')
    .addHelpText(
      'after',
      examples(
        'npm run demo',
        'npm run demo -- --hosted',
        'npm run demo -- --keep',
        'npm run -s demo -- --json | jq ".toolCalls[].requestId"',
      ),
    )
    .action(async (options: unknown) => {
      const { keep, json, hosted } = optionsSchema.parse(options)
      endsInOrder(terminal.signal)
      await using stack = new AsyncDisposableStack()
      const dir = makeTemporary('demo')
      stack.defer(() => rmSync(dir, { recursive: true, force: true }))
      const tell = json ? () => {} : terminal.out
      const { token, sha256 } = makeApiToken()
      const { run, world, app } = await runDemo({ dir, hosted, sha256 }, terminal, tell, stack)
      if (json) terminal.out(JSON.stringify(run, null, 2))
      else terminal.out(ending(run, findLogLines(world), terminal))
      if (keep && !terminal.signal.aborted) {
        terminal.err(staying(world.configFile, await serve(app), token))
        await once(terminal.signal, 'abort')
      }
      done(exitOfRun(run))
    })
}

/** Begins what a service that calls needs: the API, reports to webhooks, and job files and the configuration read again when they change. Where the API listens. */
async function serve(app: App): Promise<string> {
  const http = app.createApiServer()
  await Promise.all([http?.start(), app.outbox.start(), app.liveConfig.watch.start()])
  app.jobs.start()
  return http?.url() ?? ''
}

const staying = (configFile: string, url: string, token: string) => `
It stays up, and its API listens. In another terminal:
  npx nightshift -c ${configFile} runs
  export NIGHTSHIFT_URL=${url} NIGHTSHIFT_TOKEN=${token}
  curl -sS -X POST "$NIGHTSHIFT_URL/v1/jobs/${JOB}/runs?wait=30" -H "Authorization: Bearer $NIGHTSHIFT_TOKEN"
docs/api.md says what else there is. Changes of that configuration are in force within ten seconds.
The scripted model knows the report alone: other jobs are done by the echo model, which
calls what is repeatable once and makes up its answer. Ctrl-C ends it.`

async function runDemo(
  { dir, hosted, sha256 }: { dir: string; hosted: boolean; sha256: string },
  terminal: Terminal,
  tell: (line: string) => void,
  stack: AsyncDisposableStack,
): Promise<{ run: RunView; world: World; app: App }> {
  const began = performance.now()
  const lines = createLines(terminal)
  const jobsDir = hosted ? hostedJobs(dir) : JOBS_DIR
  // Imported here alone: no other command needs the stand-ins and their libraries.
  const [{ startWorld }, { reportScript }] = await Promise.all([
    import('../../../demo/world.ts'),
    import('../../../demo/model/report-script.ts'),
  ])
  const api = { listen: '127.0.0.1:0', tokens: { demo: { sha256, role: 'operator' } } }
  const scripts = { 'gpt-5.4-mini': reportScript }
  const world = stack.use(await startWorld({ dir, jobsDir, scripts, background: hosted, config: { api } }))
  terminal.signal.throwIfAborted()
  // The demo never writes to the user's own database.
  const readConfig = () => loadConfig({ file: world.configFile, env: { REDIS_URL: terminal.env['REDIS_URL'] } })
  const config = readConfig()
  // oxlint-disable-next-line waits/bounded -- whoever started the demo can end it: both are raced below
  const finished = Promise.withResolvers<string>()
  const onProgress = (progress: Progress) => {
    for (const line of progressLines(lines, progress)) tell(line)
    if (progress.event === 'finished' || progress.event === 'waiting') finished.resolve(progress.runId)
  }
  let jobs: App['jobs'] | undefined
  const echo = createEcho((job) => jobs && definitionIn(jobs, job))
  const wrapProvider = (scripted: Parameters<typeof forJob>[1]) => forJob(JOB, scripted, echo)
  const app = stack.use(
    await createApp({ config, readConfig, log: quietLog(), onProgress, ephemeral: true, queuePrefix: basename(dir), wrapProvider }),
  )
  jobs = app.jobs
  terminal.signal.throwIfAborted()
  tell(
    lines.step(
      'started',
      `${app.queueKind === 'redis' ? 'embedded Postgres, Redis queue' : 'embedded Postgres'}, stand-in gateway, 2 MCP servers, scripted model`,
    ),
  )
  await letScheduleFire(app, lines, tell)
  await app.worker.start()
  await app.scheduler.start()
  await app.createPresence('all').start()
  terminal.signal.throwIfAborted()
  const runId = await Promise.race([finished.promise, once(terminal.signal, 'abort').then(() => terminal.signal.throwIfAborted())])
  await joinLog(app, world)
  const run = await requireRun(app.db, runId ?? '')
  tell(lines.step('finished', `${lines.status(run.status)}, ${((performance.now() - began) / 1000).toFixed(1)} s after the start`))
  return { run, world, app }
}

/** The same job, with the provider calling the servers itself. */
function hostedJobs(dir: string): string {
  const jobsDir = join(dir, 'jobs')
  mkdirSync(jobsDir)
  const job = readFileSync(join(JOBS_DIR, `${JOB}.yaml`), 'utf8')
  writeFileSync(join(jobsDir, `${JOB}.yaml`), job.replace('delegate: local', 'delegate: hosted'))
  return jobsDir
}

/** Reads the stand-in's log and joins it with the run, as audit import does. */
async function joinLog({ db }: App, world: World): Promise<void> {
  await world.gateway.flushLog()
  await importLog(createReadStream(world.logFile), { db, paramsBytes: 0 })
  await matchEvents({ db, ours: () => [], expected: [], graceMs: 0 })
}

/** Backdates the schedule by a week, so that its last fire was missed and `missed: last` runs it now. */
async function letScheduleFire(app: App, lines: Lines, tell: (line: string) => void): Promise<void> {
  const job = requireJob(app.jobs.jobs(), JOB, app.jobs.issues())
  const { schedule } = job.definition
  if (!schedule) throw new Error(`the job ${JOB} has no schedule`)
  await makeKnown(app.db, job, new Date(Date.now() - WEEK_MS))
  tell(
    lines.step(
      'schedule',
      `${JOB}: ${schedule.cron} ${schedule.timezone}; its last fire was missed, so it fires now (missed: ${schedule.missed})`,
    ),
  )
}

function progressLines(lines: Lines, progress: Progress): string[] {
  switch (progress.event) {
    case 'attempt':
      return [lines.step('worker', `takes ${progress.runId}, attempt ${progress.number}, as account ${progress.account}`)]
    case 'routes':
      return [lines.step('discover', `Pomerium lists ${progress.count} MCP routes`)]
    case 'preflight':
      return [lines.step('preflight', `${progress.servers.join(', ')}: ${progress.tools} tools are there; no token is spent before this`)]
    case 'turn':
      return [lines.turn(progress.turn)]
    case 'call':
      return [lines.call({ ...progress.call, ...progress.end })]
    case 'retry':
      return [lines.failure('retry', progress.failure)]
    case 'waiting':
      return [lines.failure('waiting', progress.failure)]
    case 'unseen':
    case 'request':
    case 'finished':
      return []
  }
}

const logLineSchema = z.looseObject({
  'request-id': z.string(),
  allow: z.boolean(),
  'allow-why-true': z.array(z.string()).optional(),
  'allow-why-false': z.array(z.string()).optional(),
})

/** What the gateway wrote of each request, by request id, found in its log file. */
function findLogLines(world: World): Map<string, string> {
  const found = new Map<string, string>()
  for (const [index, line] of readFileSync(world.logFile, 'utf8').trim().split('\n').entries()) {
    const { 'request-id': id, allow, ...more } = logLineSchema.parse(parseDigits(line))
    found.set(
      id,
      `line ${index + 1}: ${allow ? 'allow' : 'no allow'} ${(more['allow-why-true'] ?? more['allow-why-false'] ?? []).join(' ')}`,
    )
  }
  return found
}

function ending(run: RunView, logLines: ReadonlyMap<string, string>, terminal: Terminal): string {
  const { colors } = terminal
  const short = (id: string) => (terminal.columns >= WIDE ? id : `${id.slice(0, 8)}…`)
  const rows = run.toolCalls.map(({ tool, server, status, durationMs, requestId }) => [
    fit(tool, 15), fit(server, 10), status, durationMs === null ? '' : durationMs.toFixed(0), requestId === null ? 'none' : short(requestId), logLines.get(requestId ?? '') ?? 'not found',
  ]) // prettier-ignore
  return [
    '',
    colors.bold('The report'),
    reportText(run, terminal) ?? 'There is none.',
    ...run.reasons.map((reason) => `${reason.code} ${showText(describeFailure(reason))}`),
    '',
    colors.bold('Each tool call, and the gateway’s own line about it'),
    renderTable(terminal, ['tool call', 'server', 'status', 'ms', 'request id', 'in the gateway’s log'], rows, { right: [3] }),
    '',
    colors.bold('From here to the real thing'),
    'The gateway and the model were stand-ins, and the model’s words came from a script;',
    'the tool calls and their results were real. In config/nightshift.yaml:',
    '  Pomerium  gateway.url, and the token of an account: accounts.reports.tokenFile',
    '  a model   providers.openai.apiKey, or baseUrl for a server of your own',
    '  Redis     REDIS_URL=redis://… for the queue, DATABASE_URL=postgres://… for the store',
    'Then npx nightshift doctor, npx nightshift start, and npx nightshift run labor-report --follow',
  ].join('\n')
}
