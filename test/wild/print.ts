import { isatty } from 'node:tty'
import { parseArgs } from 'node:util'
import pc from 'picocolors'
import { renderTable } from '../../src/cli/terminal/table.ts'
import { showLine } from '../../src/lib/text.ts'
import { WILD, WILD_MODELS } from './cases.ts'
import { playModelCase } from './models/play.ts'
import { playCase, type PlayedCase } from './play.ts'

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })

const rows: PlayedCase[] = []
for (const one of WILD) rows.push(await playCase(one))
for (const one of WILD_MODELS) {
  const { asked: _, ...played } = await playModelCase(one)
  rows.push({ ...played, name: `${one.api}: ${played.name}` })
}
const unexpected = rows.filter(({ asExpected }) => !asExpected)
const asExpected = rows.length - unexpected.length

if (values.json) process.stdout.write(`${JSON.stringify({ rows, asExpected, unexpected }, null, 2)}\n`)
else {
  const shown = (text: string) => showLine(text).slice(0, 80)
  const lines = rows.map((row) => [row.asExpected ? 'ok' : 'NOT AS EXPECTED', row.name, shown(row.came), shown(row.expected)])
  process.stdout.write(
    `${renderTable({ colors: pc.createColors(isatty(1)) }, ['', 'what the server or model does', 'came', 'expected'], lines)}\n`,
  )
  process.stdout.write(`${asExpected} of ${rows.length} rows as expected.\n`)
}
process.exitCode = unexpected.length === 0 ? 0 : 1
