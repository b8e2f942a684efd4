// What a template says to the model as it stands, and was hardly meant so.
import { OCCASIONS } from '../../core/rules/schedules/missed.ts'
import { suggest } from '../../lib/near.ts'
import type { Place } from '../../lib/yaml/file.ts'
import type { Fault } from '../faults/fault.ts'
import type { JobDefinition } from '../schema.ts'
import { VARIABLES } from '../template/scope.ts'

export function templateWarnings(definition: JobDefinition): Fault[] {
  return (['prompt', 'instructions'] as const).flatMap((field) =>
    (definition[field] ?? '')
      .split('\n')
      .flatMap((line, at) => [...lineWarnings(line)].map((message) => ({ path: [field], message, textLine: at + 1 }))),
  )
}

/** A text in which YAML began a comment. */
export const cutOff = (place: Place): Fault[] =>
  (['prompt', 'instructions'] as const)
    .filter((field) => place.endsInComment([field]))
    .map((field) => ({ path: [field], message: 'ends before the #, where a comment begins; put the text in quotes if it goes on' }))

const NAMES = VARIABLES.join('|')

/** A variable in the signs of another language, with what follows its name. */
const OTHER_SIGNS = [
  new RegExp(`(?<![{$])\\$?\\{ ?(${NAMES})\\b([^{}\\n]{0,40})\\}(?!\\})`, 'i'),
  new RegExp(`<%=? ?(${NAMES})\\b([^%<>\\n]{0,40})%>`, 'i'),
  new RegExp(`%\\((${NAMES})\\)s?()`, 'i'),
  new RegExp(`(?<![\\w$\\\\])\\$(${NAMES})\\b()`, 'i'),
]

/** A format of a date without a code of strftime. */
const NO_CODES = /\| ?date: ?["']([^"'%\n]{1,60})["']/
const TRIGGER = /\btrigger ?[!=]= ?["']([^"'\n]{1,40})["']/

function* lineWarnings(line: string): Generator<string> {
  for (const signs of OTHER_SIGNS) {
    const [found, name = '', rest = ''] = signs.exec(line) ?? []
    if (found !== undefined)
      yield `has ${found}, which the model is told as it stands; write {{ ${name.toLowerCase()}${rest.trimEnd()} }} for the value`
  }
  const [, format] = NO_CODES.exec(line) ?? []
  if (format !== undefined)
    yield `has the date format ${format}, which is written as it stands: it has no code such as %Y; write for example %Y-%m-%d or %H:%M`
  const [, trigger] = TRIGGER.exec(line) ?? []
  if (trigger !== undefined && !OCCASIONS.some((one) => one === trigger))
    yield `asks whether trigger is ${trigger}, which it never is; ${suggest(trigger, OCCASIONS)}`
}
