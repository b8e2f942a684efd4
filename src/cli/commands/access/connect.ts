import { spawn } from 'node:child_process'
import { Option, type Command } from 'commander'
import { z } from 'zod'
import { askConsent, disconnectServer, resumeConnected, waitForConsent } from '../../../accounts/connections.ts'
import { createApp } from '../../../app/app.ts'
import type { Config } from '../../../config/load.ts'
import { environment } from '../../../config/environment.ts'
import { Failure } from '../../../core/failure.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { actorHere } from '../../options/actor.ts'
import { configOf, examples, quietLog, type AddCommand } from '../../options/options.ts'
import { parseTimeout } from '../../options/time.ts'

const connectOptions = z.object({
  account: z.string(),
  redirect: z.string().optional(),
  open: z.boolean().default(false),
  timeout: z.number(),
})
const TIMEOUT_MS = 600_000

export const addConnect: AddCommand = (program, terminal, done) => {
  program
    .command('connect <server>')
    .description('connect a server for an account: gives the link at which a person agrees, and waits until it is done')
    .requiredOption('--account <name>', 'account of the configuration')
    .option('--redirect <url>', 'where the browser ends; on a route with mcp: { client: {} }. api.pomerium.audience when not given')
    .option('--open', 'open the link in a browser here')
    .addOption(new Option('--timeout <time>', 'how long to wait').argParser(parseTimeout).default(TIMEOUT_MS, '10m'))
    .addHelpText('after', examples('nightshift connect drive --account reports', 'nightshift connect drive --account reports --open'))
    .action(async (server: string, _: unknown, command: Command) => {
      const { account, redirect, open, timeout: timeoutMs } = connectOptions.parse(command.optsWithGlobals())
      const config = configOf(command, terminal)
      const redirectUrl = redirect ?? returnAddress(config)
      await using app = await createApp({ config, log: quietLog() })
      const connection = { account, server }
      const link = await askConsent(app, connection, redirectUrl, terminal.signal)
      if (link !== undefined) {
        terminal.out(link)
        terminal.err(`\nWhoever opens this link decides whose data ${account} sees: give it only to the person who is to agree. Waiting …`)
        if (open) openLink(link)
        if (!(await waitForConsent(app, connection, timeoutMs, terminal.signal))) {
          terminal.err('Nobody agreed yet. The runs that wait go on by themselves once somebody does.')
          return done(EXIT.waiting)
        }
      }
      const runs = await resumeConnected(app, connection, actorHere(null))
      terminal.out(`${server} is connected for ${account}.${runs > 0 ? ` ${runs} waiting run${runs === 1 ? ' goes' : 's go'} on.` : ''}`)
      done(EXIT.ok)
    })
  program
    .command('disconnect <server>')
    .description('take back what was agreed to for an account on a server')
    .requiredOption('--account <name>', 'account of the configuration')
    .addHelpText('after', examples('nightshift disconnect drive --account reports'))
    .action(async (server: string, _: unknown, command: Command) => {
      const { account } = z.object({ account: z.string() }).parse(command.optsWithGlobals())
      await using app = await createApp({ config: configOf(command, terminal), log: quietLog() })
      await disconnectServer(app, { account, server }, terminal.signal)
      terminal.out(`${server} is disconnected for ${account}.`)
      done(EXIT.ok)
    })
}

function returnAddress({ api }: Config): string {
  const audience = api?.pomerium?.audience
  if (audience !== undefined) return `https://${audience}/`
  throw new Failure({
    code: 'COMMAND_INVALID',
    message: 'There is no return address.',
    cure: 'Name one with --redirect, on a route with mcp: { client: {} }.',
  })
}

/** What a browser needs of our environment, which may hold tokens and keys. */
const DESKTOP =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|BROWSER|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|XDG_\w+|DBUS_SESSION_BUS_ADDRESS|DESKTOP_SESSION)$/

function openLink(link: string): void {
  const opener = process.platform === 'darwin' ? 'open' : 'xdg-open'
  const env = Object.fromEntries(Object.entries(environment).filter(([name]) => DESKTOP.test(name)))
  // oxlint-disable-next-line waits/bounded -- it is a person's browser, and nobody waits for it
  spawn(opener, [link], { stdio: 'ignore', detached: true, env })
    .on('error', () => {})
    .unref()
}
