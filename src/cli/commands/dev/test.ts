import { openDev } from '../../../app/open/dev.ts'
import { Failure } from '../../../core/failure.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { isFinal } from '../../../core/run.ts'
import { differences, inputOf, reasonsBeside } from '../../../dev/outcome.ts'
import { readRecordings } from '../../../dev/models/recording.ts'
import { createReplay } from '../../../dev/models/replay.ts'
import { crashNotes, failureOf, jobToTry, lookAtServers, tryJob } from '../../../dev/try.ts'
import { showLine } from '../../../lib/text.ts'
import { followRun } from '../runs/follow.ts'
import { examples, type AddCommand } from '../../options/options.ts'
import { createLines } from '../../terminal/lines.ts'
import { endsInOrder } from '../../terminal/ending.ts'
import { addDevOptions, devOptionsSchema, devSettings } from './options.ts'

export const addTest: AddCommand = (program, terminal, done) => {
  addDevOptions(
    program
      .command('test [job...]')
      .description('run jobs with the model’s recorded answers and your MCP servers; exit code 1 when another thing comes of it'),
  )
    .addHelpText('after', examples('nightshift test', 'nightshift test hello --mcp "my-server=node server.js"'))
    .action(async (names: string[], given: unknown) => {
      const options = devOptionsSchema.parse(given)
      const settings = devSettings({ ...options, model: 'echo' }, terminal)
      const lines = createLines(terminal)
      const recordings = readRecordings(options.jobs)
      const tried = names.length > 0 ? names : [...recordings.keys()]
      if (tried.length === 0)
        throw new Failure({ code: 'COMMAND_INVALID', message: 'No job has a recording.', cure: 'Make one: nightshift dev JOB --record.' })
      const wanted = tried.map((name) => {
        const recording = recordings.get(name)
        if (recording) return { name, recording }
        throw new Failure({
          code: 'COMMAND_INVALID',
          message: `The job ${name} has no recording.`,
          cure: `Make one: nightshift dev ${name} --record.`,
        })
      })
      endsInOrder(terminal.signal)
      await using stack = new AsyncDisposableStack()
      const replay = createReplay((job) => recordings.get(job))
      const { app, servers } = await openDev({ settings, jobsDir: options.jobs, provider: () => replay }, stack)
      const note = (text: string) => terminal.out(lines.step('note', text))
      let failed = 0
      for (const { name, recording } of wanted) {
        const { job, written } = jobToTry(app.jobs, name, servers)
        await lookAtServers(job, servers, note, terminal.signal)
        const id = await tryJob(app, job, { ...inputOf(recording), ...options.input })
        const run = await followRun(app.db, id, terminal, () => {})
        terminal.signal.throwIfAborted()
        if (!isFinal(run.status) && run.status !== 'waiting') throw new Error('the run is not over')
        const faults = differences(recording.expect, run)
        if (faults.length > 0) failed++
        terminal.out(
          lines.step(faults.length === 0 ? terminal.colors.green('ok') : terminal.colors.red('not ok'), `${name}: ${run.status}`),
        )
        for (const fault of faults) terminal.out(lines.step('', fault))
        for (const what of run.mended) terminal.out(lines.step('mended', showLine(what)))
        for (const reason of faults.length === 0 ? [] : reasonsBeside(run)) terminal.out(lines.reason(reason))
        const failure = faults.length > 0 ? failureOf(run) : undefined
        if (failure) terminal.out(lines.failure('failed', failure))
        for (const text of crashNotes(job, servers)) note(text)
        if (recording.version !== written.version) note(`${name} has changed since it was recorded on ${recording.recordedAt.slice(0, 10)}`)
      }
      done(failed === 0 ? EXIT.ok : EXIT.failed)
    })
}
