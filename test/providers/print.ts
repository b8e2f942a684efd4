import { isatty } from 'node:tty'
import { parseArgs } from 'node:util'
import pc from 'picocolors'
import { renderTable } from '../../src/cli/terminal/table.ts'
import { messageOf } from '../../src/core/failure.ts'
import { showLine } from '../../src/lib/text.ts'
import { startServers } from '../support/mcp/servers.ts'
import { isAsExpected, playRow, type Observed, type ProviderRow } from './row.ts'
import { PROVIDERS } from './rows.ts'

const HELP = `npm run providers -- [--only TEXT] [--json]

Plays a run against each kind of model server that Nightshift was built to meet: what its vendor insists on, in what order it tells of its calls, what it leaves
out. A row is as expected when the run ended as it must, each call that the MCP server got is written or found in the gateway's log as the run's own, and nothing
in that log is unexplained.

  --only  the rows with this text in their names
`

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, only: { type: 'string', default: '' }, help: { type: 'boolean', default: false } },
})

type Played = Pick<ProviderRow, 'name' | 'delegate' | 'api' | 'expected'> & { observed: Observed | { error: string }; asExpected: boolean }

async function play(row: ProviderRow, urls: Parameters<typeof playRow>[1]): Promise<Played> {
  const { name, delegate, api, expected } = row
  try {
    const observed = await playRow(row, urls)
    return { name, delegate, api, expected, observed, asExpected: isAsExpected(row, observed) }
  } catch (error) {
    return { name, delegate, api, expected, observed: { error: messageOf(error) }, asExpected: false }
  }
}

function cells({ name, delegate, api, observed, asExpected }: Played): string[] {
  const head = [asExpected ? 'ok' : 'NOT AS EXPECTED', name, delegate === 'hosted' ? 'hosted' : api]
  if ('error' in observed) return [...head, showLine(observed.error).slice(0, 60), '', '', '', '']
  return [...head, observed.status, observed.code ?? '', ...[observed.made, observed.recorded, observed.unexplained].map(String)]
}

if (values.help) process.stdout.write(HELP)
else {
  await using stack = new AsyncDisposableStack()
  const { postgresUrl } = await startServers(stack)
  const rows: Played[] = []
  for (const row of PROVIDERS.filter(({ name }) => name.includes(values.only)))
    rows.push(await play(row, { postgresUrl, redisUrl: undefined }))
  const unexpected = rows.filter(({ asExpected }) => !asExpected)
  const asExpected = rows.length - unexpected.length
  if (values.json) process.stdout.write(`${JSON.stringify({ rows, asExpected, unexpected }, null, 2)}\n`)
  else {
    const heads = ['', 'server', 'wire', 'status', 'code', 'made', 'written', 'unexplained']
    process.stdout.write(`${renderTable({ colors: pc.createColors(isatty(1)) }, heads, rows.map(cells), { right: [5, 6, 7] })}\n`)
    process.stdout.write(`${asExpected} of ${rows.length} rows as expected.\n`)
  }
  process.exitCode = unexpected.length === 0 ? 0 : 1
}
