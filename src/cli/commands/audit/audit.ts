import { type Command, Option } from 'commander'
import { pino } from 'pino'
import { z } from 'zod'
import { openAudit } from '../../../app/open/audit.ts'
import { createLogDuties, openLog, readLog, watchLog } from '../../../audit/read.ts'
import { makeReport, type AuditReport } from '../../../audit/report.ts'
import { acknowledge, type Suspect } from '../../../audit/suspects.ts'
import type { Config } from '../../../config/load.ts'
import { Failure } from '../../../core/failure.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { suggest } from '../../../lib/near.ts'
import { sentence, showLine } from '../../../lib/text.ts'
import { parseTime } from '../../options/time.ts'
import { createLines } from '../../terminal/lines.ts'
import { createLog } from '../../terminal/log.ts'
import { configOf, examples, type AddCommand } from '../../options/options.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'
import { whoami } from '../../options/whoami.ts'
import { endsInOrder } from '../../terminal/ending.ts'

const jsonOption = z.object({ json: z.boolean().default(false) })
const followOptions = z.object({ name: z.string().min(1).max(200).optional() })
const reportOptions = jsonOption.extend({ since: z.date().optional(), account: z.string().optional() })

export const addAudit: AddCommand = (program, terminal, done) => {
  const audit = program.command('audit').description('join Pomerium’s log with what runs did')

  audit
    .command('import <file>')
    .description('read a whole log, - for stdin; doing it twice changes nothing')
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      examples('nightshift audit import /var/log/pomerium/pomerium.log', 'zcat pomerium.log.1.gz | nightshift audit import -'),
    )
    .action(async (file: string, _: unknown, command: Command) => {
      const { json } = jsonOption.parse(command.optsWithGlobals())
      await using opened = await openAudit(configOf(command, terminal), auditLog())
      const counts = await readLog(opened, file === '-' ? process.stdin : await openLog(file), terminal.signal)
      terminal.out(
        json
          ? JSON.stringify(counts)
          : `${counts.lines} lines: ${counts.events} authorize checks, ${counts.added} of them new, ${counts.skipped} about other things, ${counts.broken} broken. ${counts.matched} newly matched.`,
      )
      if (counts.lines > 0 && counts.events === 0)
        terminal.err('No line of it is an authorize check: is it the log of Pomerium’s authorize service, as JSON?')
      done(EXIT.ok)
    })

  audit
    .command('follow <file>')
    .description('read a log as it grows, - for stdin, from where the last reading stopped, and raise alarms; survives rotation')
    .option('--name <name>', 'what the log is called in the store, where several hosts have one of the same path')
    .addHelpText(
      'after',
      examples('nightshift audit follow /var/log/pomerium/pomerium.log', 'kubectl logs -f deploy/pomerium | nightshift audit follow -'),
    )
    .action(async (file: string, _: unknown, command: Command) => {
      const { name } = followOptions.parse(command.optsWithGlobals())
      const log = createLog(terminal, 'info')
      await using opened = await openAudit(configOf(command, terminal), log)
      log.info({ file }, 'Following the log.')
      endsInOrder(terminal.signal)
      const duties = createLogDuties()
      await opened.createPresence('log', [duties.log, duties.match]).start()
      await watchLog({ ...opened, name }, file === '-' ? process.stdin : file, duties, terminal.signal)
      done(EXIT.ok)
    })

  audit
    .command('report')
    .description(
      'how the log and the runs fit together; exit code 3 when lines of our accounts are unexplained, lines may be lost, or nobody reads the log',
    )
    .addOption(new Option('--since <time>', 'only lines since: 24h, 7d, or 2026-11-24T00:00:00Z').argParser(parseTime))
    .option('--account <name>', 'only of this account')
    .option('--json', 'one JSON value on stdout')
    .addHelpText('after', examples('nightshift audit report', 'nightshift audit report --since 24h --json | jq .unexplained'))
    .action(async (_: unknown, command: Command) => {
      const { json, since, account } = reportOptions.parse(command.optsWithGlobals())
      const config = configOf(command, terminal)
      await using opened = await openAudit(config, auditLog())
      const report = await makeReport(opened, { since, account })
      if (account !== undefined && report.events === 0) requireAccount(account, config.accounts)
      terminal.out(json ? JSON.stringify(report, null, 2) : showReport(report, terminal))
      done(report.unexplained > 0 || report.gaps.length > 0 || report.lineless.requests > 0 ? EXIT.evidence : EXIT.ok)
    })

  audit
    .command('acknowledge <account>')
    .description('say why the unexplained lines of an account are no reason to worry')
    .requiredOption('-r, --reason <text>', 'kept with the account')
    .addHelpText('after', examples('nightshift audit acknowledge reports --reason "smoke test of the new route"'))
    .action(async (account: string, options: unknown, command) => {
      const { reason } = z.object({ reason: z.string().min(1) }).parse(options)
      await using opened = await openAudit(configOf(command, terminal), auditLog())
      await acknowledge(opened.db, { account, by: whoami(), reason })
      terminal.out(`${account} is no longer suspect.`)
      done(EXIT.ok)
    })
}

/** An account that is not configured any more has its lines still. */
function requireAccount(account: string, accounts: Config['accounts']): void {
  if (Object.hasOwn(accounts, account)) return
  throw new Failure({
    code: 'FILTER_INVALID',
    message: `There is no account ${showLine(account)} under accounts: in the configuration, and no line of one in the log.`,
    cure: sentence(suggest(account, Object.keys(accounts))),
  })
}

/** Alarms of a command that a person started are on their screen. */
const auditLog = () => pino({ level: 'error', base: null }, pino.destination(2))

function showReport(report: AuditReport & { suspects: readonly Suspect[] }, terminal: Terminal): string {
  const lines = createLines(terminal)
  const { colors } = terminal
  const mark = (count: number) => (count > 0 ? colors.red(String(count)) : colors.green('0'))
  const rows = report.by.map(({ account, host, tool, events, matched, expected, unexplained }) => [
    fit(account ?? '', 20), fit(host, 36), fit(tool ?? '', 24), String(events), String(matched), String(expected), String(unexplained),
  ]) // prettier-ignore
  return [
    lines.step('log', report.from ? `from ${report.from} to ${report.until}` : 'no line was read yet; see nightshift audit import --help'),
    lines.step(
      'events',
      `${report.events}, ${report.matched} matched, ${report.expected} expected of others, ${report.foreign} of accounts that are not ours${report.recent > 0 ? `, ${report.recent} too young to say` : ''}`,
    ),
    lines.step('missing', `${mark(report.missing)} requests of ours without a line`),
    lines.step(
      'unreported',
      `${report.unreported > 0 ? colors.yellow(String(report.unreported)) : colors.green('0')} lines of hosted runs that their providers did not report`,
    ),
    lines.step('unexplained', `${mark(report.unexplained)} lines of our accounts that no request of ours explains`),
    ...(report.lineless.since === null
      ? []
      : [
          lines.step(
            'silent',
            colors.red(
              `${report.lineless.requests} requests since ${report.lineless.since.toISOString()} have no line: see that nightshift audit follow runs`,
            ),
          ),
        ]),
    ...report.gaps.map(({ file, from, until }) =>
      lines.step(
        'gap',
        colors.red(`lines of ${file} from ${from.toISOString()} to ${until.toISOString()} may be lost: it was cut or replaced`),
      ),
    ),
    ...report.missingRequests
      .slice(0, 10)
      .map((one) =>
        lines.step(
          '  missing',
          fit(
            `${one.sentAt.toISOString()} ${one.account} ${one.host} ${one.rpcMethod ?? ''} sent as ${one.requestIdSent}`,
            terminal.columns - 12,
          ),
        ),
      ),
    ...report.unreportedRuns
      .slice(0, 20)
      .map((one) =>
        lines.step(
          '  run',
          colors.yellow(
            fit(
              `${one.runId} of ${one.job}, ${one.status}: ${one.calls} calls, ${one.lines} lines${one.lost > 0 ? `, ${one.lost} calls of an answer that was lost` : ''}, the last at ${one.until}`,
              terminal.columns - 12,
            ),
          ),
        ),
      ),
    ...report.unexplainedEvents
      .slice(0, 20)
      .map((one) =>
        lines.step(
          '  line',
          colors.red(
            fit(
              `${one.time.toISOString()} ${one.account} ${one.host} ${one.mcpTool ?? one.mcpMethod ?? one.method} from ${one.ip}, request ${one.requestId}`,
              terminal.columns - 12,
            ),
          ),
        ),
      ),
    ...report.suspects
      .filter(({ acknowledgedAt }) => acknowledgedAt === null)
      .map((one) =>
        lines.step(
          'suspect',
          colors.red(
            `${one.account ?? one.accountId} since ${one.since}; see why, then: nightshift audit acknowledge ${one.account ?? one.accountId} --reason …`,
          ),
        ),
      ),
    ...(rows.length === 0
      ? []
      : [
          '',
          renderTable(terminal, ['account', 'host', 'tool', 'events', 'matched', 'expected', 'unexplained'], rows, {
            right: [3, 4, 5, 6],
            cut: { 0: 12, 1: 16, 2: 12 },
          }),
        ]),
  ].join('\n')
}
