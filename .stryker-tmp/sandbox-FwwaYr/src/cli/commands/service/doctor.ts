// @ts-nocheck
import { z } from 'zod'
import { createApp, loadConfiguredJobs, type App } from '../../../app/app.ts'
import type { Config } from '../../../config/load.ts'
import { EXIT, Failure } from '../../../core/failure.ts'
import { showLine } from '../../../lib/text.ts'
import { failed, failedBy, ok, skipped, warning, type Finding } from '../../../doctor/check.ts'
import { checkAccount, checkRoutes, checkServer, notAsked } from '../../../doctor/gateway.ts'
import { checkLogFields, checkMinter, checkQueue, checkStore } from '../../../doctor/infrastructure.ts'
import { checkModel } from '../../../doctor/model.ts'
import type { Job } from '../../../jobs/load.ts'
import { configOf, examples, quietLog, type AddCommand } from '../../options/options.ts'
import { wrap, type Terminal } from '../../terminal/terminal.ts'

const optionsSchema = z.object({ json: z.boolean().default(false), spend: z.boolean().default(false) })

export const addDoctor: AddCommand = (program, terminal, done) => {
  program
    .command('doctor')
    .description('check everything that runs need, in order, each with its cure; calls no tool')
    .option('--spend', 'ask each model a word, for a few tokens')
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      examples('nightshift doctor', 'nightshift doctor --spend', 'nightshift doctor --json | jq ".[] | select(.status != \\"ok\\")"'),
    )
    .action(async (options: unknown, command) => {
      const { json, spend } = optionsSchema.parse(options)
      const findings: Finding[] = []
      const tell = (...found: readonly Finding[]) => {
        findings.push(...found)
        if (!json) for (const finding of found) terminal.out(showFinding(finding, terminal))
      }
      const config = readConfig(() => configOf(command, terminal), tell)
      if (config) await examine(config, terminal, spend, tell)
      if (json) terminal.out(JSON.stringify(findings, null, 2))
      else terminal.out(`\n${summary(findings)}`)
      done(findings.some(({ status }) => status === 'failed') ? EXIT.failed : EXIT.ok)
    })
}

function readConfig(read: () => Config, tell: (...found: Finding[]) => void): Config | undefined {
  try {
    const config = read()
    tell(
      config.notes.length === 0
        ? ok('config', 'is valid')
        : warning(
            'config',
            `is valid, with keys under earlier names: ${config.notes.join('; ')}`,
            'Give the keys at these lines their new names.',
          ),
    )
    return config
  } catch (error) {
    tell(failedBy('config', error))
    return undefined
  }
}

/** Which part it was that could not be opened. */
function partOf(error: unknown): string {
  const code = error instanceof Failure ? error.code : ''
  return code.startsWith('STORE_') ? 'store' : code.startsWith('QUEUE_') ? 'queue' : 'config'
}

const REST = skipped('the rest', 'not checked: store and queue come first')

async function examine(config: Config, terminal: Terminal, spend: boolean, tell: (...found: Finding[]) => void): Promise<void> {
  const { jobs, issues } = loadConfiguredJobs(config)
  tell(issues.length === 0 ? ok('jobs', `${jobs.size} valid`) : failed('jobs', issues.join('; '), 'Correct the files at the lines named.'))
  // Before the parts are put together: a queue that is away would stop that.
  const queue = await checkQueue(config.redisUrl)
  if (queue.some(({ status, check }) => status === 'failed' && check === 'queue')) return tell(...queue, REST)
  let app: App
  try {
    app = await createApp({ config, log: quietLog() })
  } catch (error) {
    return tell(failedBy(partOf(error), error), REST)
  }
  await using opened = app
  tell(...(await checkStore(opened.db, config.databaseUrl === undefined ? 'embedded' : 'external')), ...queue)
  if (config.minter && opened.tools.perRun.size > 0) tell(await checkMinter(config.minter.socket, [...opened.tools.perRun]))
  for (const account of opened.tools.accounts.keys()) await examineAccount(opened, account, [...jobs.values()], terminal, tell)
  tell(...(await checkLogFields(opened.db)))
  const models = new Map([...jobs.values()].map(({ definition: { model } }) => [`${model.provider}/${model.name}`, model]))
  for (const { provider, name } of models.values()) tell(await checkModel(provider, opened.tools.providers.get(provider), name, spend))
}

async function examineAccount(
  app: App,
  account: string,
  jobs: readonly Job[],
  terminal: Terminal,
  tell: (...found: Finding[]) => void,
): Promise<void> {
  const tokens = app.tools.accounts.get(account)
  const fetch = app.gatewayFetch(account)
  if (!tokens || !fetch) return
  const { finding, token } = checkAccount(account, tokens)
  tell(finding)
  if (!token) return tell(notAsked(account))
  const { finding: listed, routes } = await checkRoutes(account, () => app.routes(account, terminal.signal))
  tell(listed)
  if (!routes) return
  const mine = jobs.filter(({ definition }) => definition.account === account)
  for (const server of new Set(mine.flatMap(({ definition }) => Object.keys(definition.tools)))) {
    const needing = mine.filter(({ definition }) => Object.hasOwn(definition.tools, server))
    const { maxRequestBytes, gateway } = app.tools
    tell(
      ...(await checkServer({
        account,
        server,
        jobs: needing,
        routes,
        fetch,
        maxRequestBytes: maxRequestBytes.get(server),
        timeoutMs: gateway.timeoutMs,
      })),
    )
  }
}

const MARKS = { ok: '✓', warning: '!', failed: '✗', skipped: '-' } as const

function showFinding({ check, status, message, cure }: Finding, { colors, columns }: Terminal): string {
  const color = { ok: colors.green, warning: colors.yellow, failed: colors.red, skipped: colors.dim }[status]
  const [first = '', ...others] = wrap(`${check}: ${showLine(message)}`, columns - 4)
  const below = [...others, ...(cure === undefined ? [] : wrap(showLine(cure), columns - 4))].map((line) => `\n    ${line}`)
  return `${color(MARKS[status])} ${first}${below.join('')}`
}

function summary(findings: readonly Finding[]): string {
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length
  return `${count('ok')} ok, ${count('warning')} to look at, ${count('failed')} failed, ${count('skipped')} not checked.`
}
