import { check } from './check.ts'
import { MISTAKES } from './table.ts'

let asExpected = 0
for (const mistake of MISTAKES) {
  const said = await check(mistake)
  const isExpected = said.join('\n') === mistake.says.join('\n')
  if (isExpected) asExpected++
  const typed = mistake.typed.split('\n').map((line) => `    ${line}`)
  process.stdout.write(
    `${[`${isExpected ? '' : 'NOT AS EXPECTED: '}${mistake.name}`, ...typed, ...said.map((line) => `  → ${line}`)].join('\n')}\n\n`,
  )
}
process.stdout.write(`${asExpected} of ${MISTAKES.length} mistakes as expected.\n`)
process.exitCode = asExpected === MISTAKES.length ? 0 : 1
