import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { App } from '../../../app/app.ts'
import { openDev, type Dev } from '../../../app/open/dev.ts'
import { describeFailure, Failure, toFailure } from '../../../core/failure.ts'
import { EXIT, FAILURES } from '../../../core/failure-codes.ts'
import type { RunView } from '../../../core/view.ts'
import { createEcho, definitionIn } from '../../../dev/models/echo.ts'
import { renamed } from '../../../dev/models/stand-in.ts'
import { createRecorder, type Recorder } from '../../../dev/models/recorder.ts'
import { keepRecording } from '../../../dev/models/recording.ts'
import { echoNotes, reasonsBeside } from '../../../dev/outcome.ts'
import type { DevSettings } from '../../../dev/settings.ts'
import { crashNotes, failureOf, jobToTry, lookAtServers, tryJob } from '../../../dev/try.ts'
import { describeTarget, targetOf } from '../../../delivery/destinations/registry.ts'
import { showLine, showText } from '../../../lib/text.ts'
import { followRun } from '../runs/follow.ts'
import { examples, type AddCommand } from '../../options/options.ts'
import { exitOfRun } from '../../terminal/exit.ts'
import { createLines } from '../../terminal/lines.ts'
import { reportText } from '../../terminal/output.ts'
import { fold, type Terminal } from '../../terminal/terminal.ts'
import { endsInOrder } from '../../terminal/ending.ts'
import { addDevOptions, devOptionsSchema, devSettings } from './options.ts'

const optionsSchema = devOptionsSchema.extend({ once: z.boolean().default(false), record: z.boolean().default(false) })

/** How often it is looked whether the job changed; its directory is watched. */
const LOOK_MS = 200

export const addDev: AddCommand = (program, terminal, done) => {
  addDevOptions(
    program
      .command('dev [job]')
      .description('try a job of your own: with your MCP servers behind a stand-in gateway, again each time its file is saved'),
  )
    .option(
      '--model <address>',
      'a model server that is compatible with OpenAI’s, with the key of OPENAI_API_KEY; echo for the built-in one',
    )
    .option('--model-name <name>', 'its name of the model, in place of the job’s')
    .option('--api <api>', 'the API that it speaks: chat or responses')
    .option('--once', 'one run; the exit code is its outcome')
    .option('--record', 'keep the model’s answers beside the job, for nightshift test')
    .addHelpText(
      'after',
      examples(
        'nightshift dev hello --mcp my-server=http://127.0.0.1:8000/mcp',
        'nightshift dev hello --mcp "my-server=node server.js"',
        'nightshift dev hello --model http://127.0.0.1:8080/v1 --model-name qwen3 --record',
      ) + '\n\nServers and a model can also stand in config/dev.yaml.',
    )
    .action(async (named: string | undefined, given: unknown) => {
      const options = optionsSchema.parse(given)
      const settings = devSettings(options, terminal)
      const lines = createLines(terminal)
      const recorder = createRecorder()
      endsInOrder(terminal.signal)
      await using stack = new AsyncDisposableStack()
      const { app, servers } = await openDev(
        {
          settings,
          jobsDir: options.jobs,
          provider: (provider, ready) =>
            recorder.wrap(settings.model ? renamed(provider, settings.model.name) : createEcho((job) => definitionIn(ready().jobs, job))),
        },
        stack,
      )
      terminal.signal.throwIfAborted()
      const name = named ?? onlyJob(app)
      terminal.out(lines.step('world', worldText(settings)))
      const attempt = () => tryOnce({ app, servers, name, settings, recorder, record: options.record, input: options.input }, terminal)
      if (options.once) return done(exitOfRun(await attempt()))
      app.jobs.start()
      for (;;) {
        const seen = stateOf(app, name)
        const issues = app.jobs.issues()
        for (const issue of issues) terminal.out(lines.step('fault', issue))
        try {
          if (issues.length === 0) await attempt()
        } catch (error) {
          terminal.signal.throwIfAborted()
          const failure = toFailure(error)
          if (FAILURES[failure.code].exit !== EXIT.usage) throw error
          terminal.out(`${terminal.colors.red(failure.code)} ${showText(describeFailure(failure))}`)
        }
        terminal.out(lines.step('saved?', `It runs again when ${name} is saved. Ctrl-C ends it.`))
        while (stateOf(app, name) === seen) await sleep(LOOK_MS, undefined, { signal: terminal.signal })
      }
    })
}

/** Changes when the job does, or what is wrong with the files. */
const stateOf = (app: App, name: string) => JSON.stringify([app.jobs.jobs().get(name)?.version, app.jobs.issues()])

function onlyJob({ jobs }: App): string {
  const names = [...jobs.jobs().keys()]
  const [first] = names
  if (first !== undefined && names.length === 1) return first
  const issues = jobs.issues()
  throw new Failure({
    code: issues.length > 0 ? 'JOB_INVALID' : 'COMMAND_INVALID',
    message:
      issues.length > 0
        ? `Job files have faults:\n  ${issues.join('\n  ')}\n`
        : names.length === 0
          ? 'There is no job file.'
          : `There is more than one job: ${names.join(', ')}.`,
    cure:
      issues.length > 0
        ? 'Each key is described in docs/jobs.md.'
        : names.length === 0
          ? 'Write one, such as jobs/hello.yaml.'
          : 'Name one: nightshift dev JOB.',
  })
}

function worldText({ servers, model }: DevSettings): string {
  const names = Object.keys(servers)
  const behind = names.length === 0 ? 'no MCP server' : names.join(', ')
  return `a stand-in gateway with ${behind} behind it; ${model ? `the model server ${model.baseUrl}` : 'the echo model, which calls what is repeatable once and makes up its answer'}`
}

interface Trial extends Dev {
  name: string
  settings: DevSettings
  recorder: Recorder
  record: boolean
  input: Record<string, unknown>
}

async function tryOnce({ app, servers, name, settings, recorder, record, input }: Trial, terminal: Terminal): Promise<RunView> {
  const lines = createLines(terminal)
  const { job, written, notes } = jobToTry(app.jobs, name, servers)
  const note = (text: string) => terminal.out(lines.step('note', text))
  for (const text of notes) note(text)
  await lookAtServers(job, servers, note, terminal.signal)
  const id = await tryJob(app, job, input)
  let isShown = false
  const onEvent = (line: string) => {
    terminal.out(line)
    if (!isShown) terminal.out(lines.step('job', job.file))
    isShown = true
  }
  const run = await followRun(app.db, id, terminal, onEvent, { withFailures: false })
  terminal.signal.throwIfAborted()
  const prompt = run.attempts.at(-1)?.prompt
  if (prompt != null) terminal.out(`\n${terminal.colors.bold('The prompt')}\n${fold(showText(prompt), terminal, 0)}\n`)
  for (const what of run.mended) terminal.out(lines.step('mended', showLine(what)))
  for (const reason of reasonsBeside(run)) terminal.out(lines.reason(reason))
  const failure = failureOf(run)
  if (failure) terminal.out(lines.failure('failed', failure))
  if (!settings.model) for (const text of echoNotes(run)) note(text)
  for (const text of crashNotes(job, servers)) note(text)
  const report = reportText(run, terminal)
  if (report !== undefined) terminal.out(`${terminal.colors.bold('The answer')}${settings.model ? '' : ', made up'}\n${report}\n`)
  for (const entry of job.definition.deliver)
    terminal.out(lines.step('report', `would go to ${describeTarget(targetOf(entry))}; here it goes nowhere`))
  terminal.out(lines.step('run', lines.status(run.status)))
  if (record) {
    const file = keepRecording({ job: written, run, said: recorder.turnsOf(run.id), input })
    terminal.out(lines.step('recorded', `${file}; nightshift test ${job.name} gives its answers again`))
  }
  return run
}
