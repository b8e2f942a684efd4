import { parseArgs } from 'node:util'
import pc from 'picocolors'
import { renderTable } from '../../src/cli/terminal/table.ts'
import { api } from './measures/api.ts'
import { audit } from './measures/audit.ts'
import { bytes } from './measures/bytes.ts'
import { context } from './measures/context.ts'
import { disk } from './measures/disk.ts'
import type { Bench, Row } from './bench.ts'
import { lateness } from './measures/lateness.ts'
import { list } from './measures/list.ts'
import { retry } from './measures/retry.ts'
import { runs } from './measures/runs.ts'
import { store } from './measures/store.ts'

// Each bench is a file of its own.
const BENCHES: readonly Bench[] = [runs, bytes, context, api, list, retry, lateness, audit, store, disk]

const HELP = `npm run bench -- NAME [--json] [--reps 3] [--scale 1]

${BENCHES.map(({ name, about }) => `  ${name.padEnd(10)}${about}`).join('\n')}

  --json     print only the figures, as JSON
  --reps     times each figure is taken; the median is shown
  --scale    0.1 does a tenth of the work, to try it out
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, reps: { type: 'string', default: '3' }, scale: { type: 'string', default: '1' } },
})

function show(rows: readonly Row[]): string {
  const head = Object.keys(rows[0] ?? {})
  const numbers = head.flatMap((name, column) => (typeof rows[0]?.[name] === 'number' ? [column] : []))
  return renderTable(
    { colors: pc },
    head,
    rows.map((row) => head.map((name) => String(row[name]))),
    { right: numbers },
  )
}

const bench = BENCHES.find(({ name }) => name === positionals[0])
const reps = Number(values.reps)
const scale = Number(values.scale)
if (!bench || !(reps >= 1) || !(scale > 0)) {
  process.stderr.write(HELP)
  process.exitCode = 2
} else {
  const say = (line: string) => void process.stderr.write(`${line}\n`)
  const fail = (line: string) => {
    say(line)
    process.exitCode = 1
  }
  const rows = await bench.run({ reps, scale, say, fail })
  process.stdout.write(
    `${values.json ? JSON.stringify({ bench: bench.name, node: process.version, reps, scale, rows }, null, 2) : show(rows)}\n`,
  )
}
