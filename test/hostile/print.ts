import { isatty } from 'node:tty'
import { parseArgs } from 'node:util'
import pc from 'picocolors'
import { renderTable } from '../../src/cli/terminal/table.ts'
import { startServers } from '../support/mcp/servers.ts'
import { openPlace } from './place.ts'
import { BOUNDS, play, type Played } from './play.ts'

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, only: { type: 'string' } } })

await using stack = new AsyncDisposableStack()
const { postgresUrl } = await startServers(stack)
const place = stack.use(await openPlace({ postgresUrl }))
const rows: Played[] = []
// One at a time: the figures are those of one attack and of the neighbours beside it.
for (const attack of place.attacks.filter(({ name }) => values.only === undefined || name.includes(values.only))) {
  const row = await play(place, attack)
  rows.push(row)
  process.stderr.write(`${row.name}: ${row.faults.join(', ') || 'ok'}\n`)
}
const unexpected = rows.filter(({ faults }) => faults.length > 0)
const asExpected = rows.length - unexpected.length

if (values.json) process.stdout.write(`${JSON.stringify({ bounds: BOUNDS, rows, asExpected, unexpected }, null, 2)}\n`)
else {
  const lines = rows.map(({ name, observed, faults }) => [
    faults.length === 0 ? 'ok' : faults.join(', '),
    name,
    ...('error' in observed
      ? [observed.error, '', '', '', '', '', '', '']
      : [
          observed.outcome,
          observed.loopSeconds.toFixed(2),
          observed.loopMaxMs.toFixed(0),
          observed.rssMb.toFixed(0),
          String(observed.requests),
          String(observed.effects),
          `${observed.neighbour.green} of ${observed.neighbour.green + observed.neighbour.bad.length}`,
          observed.canaryIn.join(', ') || 'nowhere',
        ]),
  ])
  const head = ['', 'attack', 'outcome', 'loop s', 'blocked ms', 'MB', 'requests', 'effects', 'neighbours green', 'secrets']
  process.stdout.write(`${renderTable({ colors: pc.createColors(isatty(1)) }, head, lines, { right: [3, 4, 5, 6, 7] })}\n`)
  process.stdout.write(`${asExpected} of ${rows.length} rows as expected.\n`)
}
process.exitCode = unexpected.length === 0 ? 0 : 1
