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
    throw new Failure({ code: 'INPUT_INVALID', message: `The prompt of job ${scope.job} cannot be rendered: ${messageOf(cause)}.`, cause })
  }
}
