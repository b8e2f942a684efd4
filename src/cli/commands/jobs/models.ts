import { z } from 'zod'
import { loadConfiguredJobs } from '../../../app/open/jobs.ts'
import { knownModels, type KnownModel } from '../../../app/open/models.ts'
import { CATALOGUE_DATE } from '../../../app/resources.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { showText } from '../../../lib/text.ts'
import { configOf, examples, type AddCommand } from '../../options/options.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'

const optionsSchema = z.object({ json: z.boolean().default(false), all: z.boolean().default(false) })

export const addModels: AddCommand = (program, terminal, done) => {
  program
    .command('models')
    .description('list the models that jobs name: what they read, write and cost, and who says so')
    .option('--all', 'also those that the catalogue has of the configured providers')
    .option('--json', 'one JSON value on stdout')
    .addHelpText('after', examples('nightshift models', 'nightshift models --all', 'nightshift models --json | jq ".models[].prices"'))
    .action((options: unknown, command) => {
      const { json, all } = optionsSchema.parse(options)
      const config = configOf(command, terminal)
      const { jobs, issues } = loadConfiguredJobs(config)
      const models = knownModels(config, [...jobs.values()], { all })
      if (json) terminal.out(JSON.stringify({ catalogue: CATALOGUE_DATE, models }, null, 2))
      else terminal.out(models.length === 0 ? 'No job names a model.' : showModels(models, terminal))
      // A job with a fault is not among them.
      if (!json) for (const issue of issues) terminal.err(showText(issue))
      done(issues.length > 0 ? EXIT.usage : EXIT.ok)
    })
}

const MAX_NAME = 30
const UNKNOWN = '?'

function showModels(models: readonly KnownModel[], terminal: Terminal): string {
  const rows = models.flatMap(({ provider, name, windowTokens, maxOutputTokens, prices, from }) =>
    Object.entries(prices).map(([tier, rates], at) => [
      at === 0 ? fit(`${provider}/${name}`, MAX_NAME) : '',
      at === 0 ? tokensText(windowTokens) : '',
      at === 0 ? tokensText(maxOutputTokens) : '',
      fit(tier, 8),
      rates === null ? UNKNOWN : usdText(rates.input),
      rates === null ? UNKNOWN : usdText(rates.cachedInput),
      rates === null ? UNKNOWN : usdText(rates.output),
      at === 0 ? (from.price ?? from.limits ?? 'unknown') : '',
    ]),
  )
  const table = renderTable(terminal, ['model', 'window', 'answer', 'tier', 'in', 'cached', 'out', 'from'], rows, {
    right: [1, 2, 4, 5, 6],
    cut: { 0: 16 },
  })
  return `${table}\n\nUSD for a million tokens; catalogue of ${CATALOGUE_DATE}, below prices: and models:.`
}

const tokensText = (tokens: number | null): string =>
  tokens === null
    ? UNKNOWN
    : tokens >= 1_000_000
      ? `${Number((tokens / 1_000_000).toFixed(2))}M`
      : tokens >= 1000
        ? `${Math.round(tokens / 1000)}k`
        : String(tokens)

const usdText = (usd: number): string => String(Number(usd.toFixed(4)))
