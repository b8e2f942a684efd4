import { createHash, randomBytes } from 'node:crypto'
import { InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { ROLES } from '../../../core/caller.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { examples, type AddCommand } from '../../options/options.ts'

const optionsSchema = z.object({ role: z.enum(ROLES), jobs: z.array(z.string()).optional(), json: z.boolean().default(false) })

export const addApiToken: AddCommand = (program, terminal, done) => {
  program
    .command('api-token <name>')
    .description('make a token for the API, and the line of the configuration that knows it; the token is shown this once')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .option('--jobs <names>', 'for a runner: only these jobs, with commas between', parseNames)
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      examples('nightshift api-token orders --role runner --jobs industry-trend', 'nightshift api-token ops --role operator'),
    )
    .action((name: string, options: unknown) => {
      const { role, jobs, json } = optionsSchema.parse(options)
      const token = `nsk_${randomBytes(32).toString('base64url')}`
      const sha256 = createHash('sha256').update(token).digest('hex')
      const line = `${/^[a-z][\w-]*$/i.test(name) ? name : JSON.stringify(name)}: { sha256: ${sha256}, role: ${role}${jobs === undefined ? '' : `, jobs: [${jobs.join(', ')}]`} }`
      if (json) terminal.out(JSON.stringify({ name, token, sha256, role, jobs }, null, 2))
      else {
        terminal.out(token)
        terminal.err(`\nIt is shown this once. Put its line under api.tokens: in the configuration:\n    ${line}`)
      }
      done(EXIT.ok)
    })
}

function parseNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.some((name) => !/^[\w.-]+$/.test(name))) throw new InvalidArgumentError('Write names of jobs with commas between.')
  return names
}
