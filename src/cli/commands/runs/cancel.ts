import { z } from 'zod'
import { EXIT, Failure } from '../../../core/failure.ts'
import { cancelRun } from '../../../runs/cancel.ts'
import { configOf, examples, openStoreOf, type AddCommand } from '../../options/options.ts'

const optionsSchema = z.object({ json: z.boolean().default(false) })

export const addCancel: AddCommand = (program, terminal, done) => {
  program
    .command('cancel <run...>')
    .description('cancel runs: a queued one at once, a running one within two seconds, wherever it runs')
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      examples('nightshift cancel run_019a…', 'nightshift cancel $(nightshift runs --status queued --json | jq -r ".[].id")'),
    )
    .action(async (ids: string[], options: unknown, command) => {
      const { json } = optionsSchema.parse(options)
      await using store = await openStoreOf(configOf(command, terminal))
      const results = []
      for (const id of ids) {
        const status = await cancelRun(store.db, id)
        if (!status) throw new Failure({ code: 'RUN_UNKNOWN', message: `There is no run ${id.slice(0, 80)}.` })
        results.push({ id, status })
        if (!json) terminal.out(status === 'running' ? `${id} is running; its worker ends it.` : `${id} is ${status}.`)
      }
      if (json) terminal.out(JSON.stringify(results, null, 2))
      done(EXIT.ok)
    })
}
