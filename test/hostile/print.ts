import { isatty } from 'node:tty'
import { parseArgs } from 'node:util'
import pc from 'picocolors'
import { renderTable } from '../../src/cli/terminal/table.ts'
import { ATTACKS } from './attacks.ts'
import { BOUNDS, play, type Played } from './play.ts'

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, only: { type: 'string' } } })

const rows: Played[] = []
// One at a time: the figures are those of a process that has the machine for itself.
for (const attack of ATTACKS.filter(({ name }) => values.only === undefined || name.includes(values.only))) rows.push(await play(attack))
const unexpected = rows.filter(({ faults }) => faults.length > 0)
const asExpected = rows.length - unexpected.length

if (values.json) process.stdout.write(`${JSON.stringify({ bounds: BOUNDS, rows, asExpected, unexpected }, null, 2)}\n`)
else {
  const lines = rows.map(({ name, observed, faults }) => [
    faults.length === 0 ? 'ok' : faults.join(', '),
    name,
    ...('error' in observed
      ? [observed.error, '', '', '']
      : [observed.outcome, observed.loopSeconds.toFixed(2), String(observed.rssMb), String(observed.requests)]),
  ])
  const head = ['', 'attack', 'outcome', 'loop s', 'MB', 'requests']
  process.stdout.write(`${renderTable({ colors: pc.createColors(isatty(1)) }, head, lines, [3, 4, 5])}\n`)
  process.stdout.write(`${asExpected} of ${rows.length} rows as expected.\n`)
}
process.exitCode = unexpected.length === 0 ? 0 : 1
