import { z } from 'zod'
import { EXIT } from '../../../core/failure-codes.ts'
import { countPrunable, prune } from '../../../runs/queries.ts'
import { configOf, examples, openStoreOf, type AddCommand } from '../../options/options.ts'

const optionsSchema = z.object({ json: z.boolean().default(false), dryRun: z.boolean().default(false) })

export const addPrune: AddCommand = (program, terminal, done) => {
  program
    .command('prune')
    .description('remove what retention: in the configuration says is old: content first, then whole runs, lines of the log, and fires')
    .option('--dry-run', 'only count')
    .option('--json', 'one JSON value on stdout')
    .addHelpText('after', examples('nightshift prune --dry-run', 'nightshift prune --json'))
    .action(async (options: unknown, command) => {
      const { json, dryRun } = optionsSchema.parse(options)
      const config = configOf(command, terminal)
      await using store = await openStoreOf(config)
      const pruned = dryRun ? await countPrunable(store.db, config.retention) : await prune(store.db, config.retention, terminal.signal)
      terminal.out(
        json
          ? JSON.stringify({ ...pruned, dryRun })
          : `${pruned.content} runs ${dryRun ? 'would lose' : 'lost'} their content, ${pruned.metadata} ${dryRun ? 'would be' : 'were'} removed; ${pruned.log} lines of the log and ${pruned.fires} fires ${dryRun ? 'would be' : 'were'} removed.`,
      )
      done(EXIT.ok)
    })
}
