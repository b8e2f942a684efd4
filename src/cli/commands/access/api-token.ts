import { InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { goodUntil } from '../../../config/sections/values.ts'
import { ROLES } from '../../../core/caller.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { makeApiToken } from '../../../lib/hash/api-token.ts'
import { examples, type AddCommand } from '../../options/options.ts'

const optionsSchema = z.object({
  role: z.enum(ROLES),
  jobs: z.array(z.string()).optional(),
  expires: z.string().optional(),
  json: z.boolean().default(false),
})

export const addApiToken: AddCommand = (program, terminal, done) => {
  program
    .command('api-token <name>')
    .description('make a token for the API, and the line of the configuration that knows it; the token is shown this once')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .option('--jobs <names>', 'only these jobs, with commas between', parseNames)
    .option(
      '--expires <until>',
      'a date, to its end in UTC, or a time with its zone; without it the token is good until its line is taken out',
      parseUntil,
    )
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      examples(
        'nightshift api-token orders --role runner --jobs industry-trend',
        'nightshift api-token ops --role operator --expires 2027-03-31',
      ),
    )
    .action((name: string, options: unknown) => {
      const { role, jobs, expires, json } = optionsSchema.parse(options)
      const { token, sha256 } = makeApiToken()
      const line = `${/^[a-z][\w-]*$/i.test(name) ? name : JSON.stringify(name)}: { sha256: ${sha256}, role: ${role}${jobs === undefined ? '' : `, jobs: [${jobs.join(', ')}]`}${expires === undefined ? '' : `, expires: ${JSON.stringify(expires)}`} }`
      if (json) terminal.out(JSON.stringify({ name, token, sha256, role, jobs, expires }, null, 2))
      else {
        terminal.out(token)
        terminal.err(`\nIt is shown this once. Put its line under api.tokens: in the configuration:\n    ${line}`)
      }
      done(EXIT.ok)
    })
}

function parseUntil(text: string): string {
  const read = goodUntil.safeParse(text)
  // oxlint-disable-next-line house/steady-clock -- a moment that a person writes down
  if (!read.success || read.data.getTime() <= Date.now())
    throw new InvalidArgumentError('Write a date to come such as 2027-03-31 (to its end in UTC), or a time with its zone.')
  return text
}

function parseNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.some((name) => !/^[\w.-]+$/.test(name))) throw new InvalidArgumentError('Write names of jobs with commas between.')
  return names
}
