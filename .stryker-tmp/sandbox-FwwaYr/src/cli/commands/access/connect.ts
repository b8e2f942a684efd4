// @ts-nocheck
import { spawn } from 'node:child_process'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { z } from 'zod'
import { createApp, type App } from '../../../app/app.ts'
import { durationMs } from '../../../lib/duration.ts'
import { EXIT, Failure } from '../../../core/failure.ts'
import type { GatewayFetch } from '../../../core/ports/gateway.ts'
import { askConnect, disconnect } from '../../../pomerium/consent.ts'
import type { Route } from '../../../pomerium/routes.ts'
import { resumeWaiting } from '../../../store/waiting/waiting.ts'
import { configOf, examples, quietLog, type AddCommand } from '../../options/options.ts'
import { pause, type Terminal } from '../../terminal/terminal.ts'

const connectOptions = z.object({
  account: z.string(),
  redirect: z.string().optional(),
  open: z.boolean().default(false),
  timeout: z.number(),
})
const LOOK_MS = 2000
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
      const { account, redirect, open, timeout } = connectOptions.parse(command.optsWithGlobals())
      const config = configOf(command, terminal)
      const audience = config.api?.pomerium?.audience
      const redirectUrl = redirect ?? (audience === undefined ? undefined : `https://${audience}/`)
      if (redirectUrl === undefined)
        throw new Failure({
          code: 'REQUEST_INVALID',
          message: 'There is no return address.',
          cure: 'Name one with --redirect, on a route with mcp: { client: {} }.',
        })
      await using app = await createApp({ config, log: quietLog() })
      const { route, fetch } = await routeOf(app, account, server, terminal)
      const answer = await askConnect({ fetch, route, redirectUrl })
      if (answer.kind === 'link') {
        terminal.out(answer.link)
        terminal.err(`\nWhoever opens this link decides whose data ${account} sees: give it only to the person who is to agree. Waiting …`)
        if (open) openLink(answer.link)
        if (!(await connected(app, account, server, timeout, terminal))) {
          terminal.err('Nobody agreed yet. The runs that wait go on by themselves once somebody does.')
          return done(EXIT.waiting)
        }
      }
      const runs = await resumeWaiting(app.db, account, [server])
      app.producer.wakeSoon(runs)
      terminal.out(
        `${server} is connected for ${account}.${runs.length > 0 ? ` ${runs.length} waiting run${runs.length === 1 ? ' goes' : 's go'} on.` : ''}`,
      )
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
      const { route, fetch } = await routeOf(app, account, server, terminal)
      await disconnect({ fetch, route })
      terminal.out(`${server} is disconnected for ${account}.`)
      done(EXIT.ok)
    })
}

async function routeOf(app: App, account: string, server: string, terminal: Terminal): Promise<{ route: Route; fetch: GatewayFetch }> {
  const fetch = app.gatewayFetch(account)
  const routes = await app.routes(account, terminal.signal)
  if (!fetch || !routes)
    throw new Failure({
      code: 'REQUEST_INVALID',
      message: `There is no account ${account} in the configuration.`,
      cure: `There are ${Object.keys(app.config.accounts).join(', ')}.`,
    })
  const route = routes.get(server)
  if (!route)
    throw new Failure({
      code: 'ROUTE_UNKNOWN',
      message: `Pomerium lists no MCP route ${server}; it lists ${[...routes.keys()].toSorted().join(', ') || 'none'}.`,
    })
  return { route, fetch }
}

async function connected(app: App, account: string, server: string, timeoutMs: number, terminal: Terminal): Promise<boolean> {
  const until = Date.now() + timeoutMs
  while (Date.now() < until && !terminal.signal.aborted) {
    await pause(LOOK_MS, terminal.signal)
    if (terminal.signal.aborted) return false
    // The link lives on while the gateway does not answer; without the account nobody can follow it.
    const routes = await app.routes(account, terminal.signal).catch((error: unknown) => {
      if (terminal.signal.aborted || (error instanceof Failure && error.retry === 'later' && error.code !== 'TOKEN_REJECTED'))
        return undefined
      throw error
    })
    if (routes?.get(server)?.connected === true) return true
  }
  return false
}

function parseTimeout(text: string): number {
  try {
    return durationMs(text)
  } catch {
    throw new InvalidArgumentError('Write a length of time such as 30s or 10m.')
  }
}

function openLink(link: string): void {
  const opener = process.platform === 'darwin' ? 'open' : 'xdg-open'
  spawn(opener, [link], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref()
}
