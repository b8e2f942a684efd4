import { open, stat } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { pino } from 'pino'
import { z } from 'zod'
import { openAudit, type Audit } from '../../../app/app.ts'
import { raiseAlarms } from '../../../audit/alarm.ts'
import { followLog } from '../../../audit/log/follow.ts'
import { importLog } from '../../../audit/log/import.ts'
import { matchEvents } from '../../../audit/join/match.ts'
import { auditReport, type AuditReport } from '../../../audit/report.ts'
import { EXIT, Failure, messageOf } from '../../../core/failure.ts'
import { acknowledgeSuspect, listSuspects, type Suspect } from '../../../store/audit/suspects.ts'
import { parseTime } from '../../options/time.ts'
import { createLines } from '../../terminal/lines.ts'
import { configOf, examples, type AddCommand } from '../../options/options.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'
import { whoami } from '../../options/whoami.ts'

const jsonOption = z.object({ json: z.boolean().default(false) })
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
      const { db, paramsBytes } = opened
      const input = file === '-' ? process.stdin : await readable(file)
      const { from, ...counts } = await importLog(input, { db, paramsBytes, signal: terminal.signal })
      const matched = await matchEvents({ ...opened, since: from })
      await raiseAlarms(opened)
      terminal.out(
        json
          ? JSON.stringify({ ...counts, matched })
          : `${counts.lines} lines: ${counts.events} authorize checks, ${counts.added} of them new, ${counts.skipped} about other things, ${counts.broken} broken. ${matched} newly matched.`,
      )
      done(EXIT.ok)
    })

  audit
    .command('follow <file>')
    .description('read a log as it grows, from where the last reading stopped, and raise alarms; survives rotation')
    .addHelpText('after', examples('nightshift audit follow /var/log/pomerium/pomerium.log'))
    .action(async (file: string, _: unknown, command: Command) => {
      const log = pino({ level: 'info', base: null, timestamp: pino.stdTimeFunctions.isoTime })
      await using opened = await openAudit(configOf(command, terminal), log)
      log.info({ file }, 'Following the log.')
      await followLog({ ...opened, file, log, signal: terminal.signal, onRound: (added) => matchAndAlarm(opened, added, log) })
      done(EXIT.ok)
    })

  audit
    .command('report')
    .description('how the log and the runs fit together; exit code 3 when lines of our accounts are unexplained')
    .addOption(new Option('--since <time>', 'only lines since: 24h, 7d, or 2026-11-24T00:00:00Z').argParser(parseTime))
    .option('--account <name>', 'only of this account')
    .option('--json', 'one JSON value on stdout')
    .addHelpText('after', examples('nightshift audit report', 'nightshift audit report --since 24h --json | jq .unexplained'))
    .action(async (_: unknown, command: Command) => {
      const { json, since, account } = reportOptions.parse(command.optsWithGlobals())
      await using opened = await openAudit(configOf(command, terminal), auditLog())
      await matchEvents(opened)
      const report = await auditReport(opened.db, opened.ours(), { since, account, graceMs: opened.graceMs })
      const suspects = await listSuspects(opened.db)
      terminal.out(json ? JSON.stringify({ ...report, suspects }, null, 2) : showReport(report, suspects, terminal))
      done(report.unexplained > 0 ? EXIT.evidence : EXIT.ok)
    })

  audit
    .command('acknowledge <account>')
    .description('say why the unexplained lines of an account are no reason to worry')
    .requiredOption('-r, --reason <text>', 'kept with the account')
    .addHelpText('after', examples('nightshift audit acknowledge reports --reason "smoke test of the new route"'))
    .action(async (account: string, options: unknown, command) => {
      const { reason } = z.object({ reason: z.string().min(1) }).parse(options)
      await using opened = await openAudit(configOf(command, terminal), auditLog())
      if (!(await acknowledgeSuspect(opened.db, { account, by: whoami(), reason })))
        throw new Failure({
          code: 'COMMAND_INVALID',
          message: `The account ${fit(account, 80)} is not suspect.`,
          cure: 'See nightshift audit report.',
        })
      terminal.out(`${account} is no longer suspect.`)
      done(EXIT.ok)
    })
}

/** Alarms of a command that a person started are on their screen. */
const auditLog = () => pino({ level: 'error', base: null }, pino.destination(2))

async function readable(file: string) {
  try {
    if (!(await stat(file)).isDirectory()) return (await open(file)).createReadStream({ highWaterMark: 1_048_576 })
    throw new Error('it is a directory')
  } catch (cause) {
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The log ${file} cannot be read: ${messageOf(cause)}.`,
      cure: 'Name a readable file, or - for stdin.',
    })
  }
}

const QUIET_ROUNDS = 5
let quiet = 0

/** After each reading: explain what is new, and from time to time what was not explained then. */
async function matchAndAlarm(opened: Audit, added: number, log: pino.Logger): Promise<void> {
  quiet = added > 0 ? 0 : quiet + 1
  const matched = await matchEvents(opened)
  if (added > 0) log.debug({ added, matched }, 'Lines read.')
  if (added > 0 || quiet % QUIET_ROUNDS === 0) await raiseAlarms(opened)
}

function showReport(report: AuditReport, suspects: readonly Suspect[], terminal: Terminal): string {
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
    lines.step('unexplained', `${mark(report.unexplained)} lines of our accounts that no request of ours explains`),
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
    ...suspects
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
      : ['', renderTable(terminal, ['account', 'host', 'tool', 'events', 'matched', 'expected', 'unexplained'], rows, [3, 4, 5, 6])]),
  ].join('\n')
}
