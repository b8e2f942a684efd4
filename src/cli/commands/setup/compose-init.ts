import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT } from '../../../core/failure-codes.ts'
import { examples, type AddCommand } from '../../options/options.ts'

const DOMAIN = 'localhost.pomerium.io'
const YEAR_DAYS = 365

export const addComposeInit: AddCommand = (program, terminal, done) => {
  program
    .command('compose-init [dir]')
    .description('make the secrets and the certificate for a first local run of docker-compose.yml; keeps those that are there')
    .addHelpText('after', examples('npm run compose:init', 'nightshift compose-init secrets'))
    .action(async (dir = 'secrets') => {
      const target = String(dir)
      mkdirSync(target, { recursive: true })
      // Also one that was there: whoever may not enter it reads nothing in it.
      chmodSync(target, 0o700)
      mkdirSync(join(target, 'accounts'), { recursive: true })
      const made: string[] = []
      // Containers run as other users: the directory is private, the files in it are not.
      const put = (name: string, content: () => string) => {
        const file = join(target, name)
        if (existsSync(file)) return
        writeFileSync(file, content(), { mode: 0o644 })
        made.push(name)
      }
      const secret = () => randomBytes(32).toString('base64')
      put('pomerium_shared_secret', secret)
      put('pomerium_cookie_secret', secret)
      put('postgres_password', () => randomBytes(24).toString('hex'))
      put('openai_api_key', () => 'put the key of your model provider here')
      // Made by the first command below, once Pomerium runs.
      put('accounts/reports.jwt', () => '')
      if (!existsSync(join(target, 'pomerium.crt'))) {
        const { makeCertificate } = await import('../../../demo/gateway/certificate.ts')
        const { cert, key } = await makeCertificate([`*.${DOMAIN}`], YEAR_DAYS)
        put('pomerium.crt', () => cert)
        put('pomerium.key', () => key)
      }
      terminal.out(made.length === 0 ? `${target} has all of them.` : `Made in ${target}: ${made.join(', ')}.`)
      terminal.out(`
Next:
  docker compose build
  docker compose up --detach pomerium redis postgres
  docker compose run --rm admin account create reports --user svc-reports --expires 90d
  docker compose run --rm scheduler evidence key create
  put your provider's key into ${join(target, 'openai_api_key')}
  docker compose up --detach`)
      done(EXIT.ok)
    })
}
