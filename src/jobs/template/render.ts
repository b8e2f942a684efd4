import { Failure, messageOf } from '../../core/failure.ts'
import { render } from './engine.ts'
import type { TemplateScope } from './scope.ts'

/**
 * Renders a template. A variable that is not there, and a value that has no text of its own, are `INPUT_INVALID`, never an empty place in a prompt. The same
 * scope gives the same text, whatever the zone and language of the process are.
 */
export function renderTemplate(template: string, scope: TemplateScope): string {
  try {
    return render(template, scope)
  } catch (cause) {
    throw new Failure({
      code: 'INPUT_INVALID',
      message: `The prompt of job ${scope.job} cannot be rendered: ${messageOf(cause)}.`,
      ...cureOf(messageOf(cause)),
      cause,
    })
  }
}

/** Of a field that the input left out the schema is wrong, or the template. */
function cureOf(said: string): { cure?: string } {
  const [, variable] = /^undefined variable: (input\.[^,\s]{1,200})/.exec(said) ?? []
  if (variable === undefined) return {}
  return {
    cure: `Give ${variable}, or in the job file name it under required: of the schema, or write {{ ${variable} | default: "none" }}.`,
  }
}
