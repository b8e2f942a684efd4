import { expect, test } from 'vitest'
import { check } from './check.ts'

const INPUT = 'input: { type: object, properties: { below: { type: integer }, regions: { type: array } } }'
const GOOD = 'prompt: |\n  Report unemployment by industry as of {{ fire_time | date: "%F" }}.\n'

/** Templates with a fault whose cure is another template. */
const FAULTY = [
  '{{ input.below }}',
  '{{ fire_time.year }}',
  '{{ period.from.year }}',
  '{{ input.regions }}',
  '{% if now = job %}x{% endif %}',
]

/** The ways in which a text is written in YAML, with that in which its cure says that it has to be written. */
const WAYS: Record<string, (text: string) => string> = {
  'without quotes': (text) => `prompt: ${text}`,
  'in " "': (text) => `prompt: "${text}"`,
  "in ' '": (text) => `prompt: '${text}'`,
  'below |': below,
}

function below(text: string): string {
  return `prompt: |\n  ${text}`
}

const checked = (prompt: string) =>
  check({
    file: 'jobs/report.yaml',
    good: GOOD,
    typed: `${prompt}\n${INPUT}\n`,
    also: { good: 'Europe/Zurich }', mended: 'Europe/Zurich, period: day }' },
  })

const ROWS = FAULTY.flatMap((faulty) => Object.entries(WAYS).map(([way, write]) => ({ faulty, way, write })))

test.each(ROWS)('the cure of $faulty, pasted into a text $way, is YAML and a template', async ({ faulty, way, write }) => {
  const [said = '', ...others] = await checked(write(`As of ${faulty}.`))
  expect(others).toEqual([])
  const cure = /\{\{[^}]*\| [a-z]+: "[^}]*\}\}/.exec(said)?.[0] ?? ''
  expect(cure, said).not.toBe('')
  const isToldBelow = said.includes('for that, write prompt: | and the text on the line below, indented')
  expect(isToldBelow, said).toBe(way === 'without quotes' || way === 'in " "')
  expect(await checked((isToldBelow ? below : write)(`As of ${cure}.`))).toEqual([])
})

test('the text of an argument on one line is told to be put in other quotes', async () => {
  const written = (argument: string) =>
    checked(`prompt: Report.\ncontext: [{ server: labor, prompt: report, arguments: { day: ${argument} } }]`)
  expect(await written('As of "{{ fire_time.year }}')).not.toEqual([])
  const [said] = await written('"{{ fire_time.year }}"')
  expect(said).toMatch(/write \{\{ fire_time \| date: "%Y" \}\} for a part of a date; for that, put the text in ' '$/)
  expect(await written(`'{{ fire_time | date: "%Y" }}'`)).toEqual([])
})
