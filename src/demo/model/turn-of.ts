import type { Turn } from './responses.ts'
import { fill, type Step } from './script.ts'

/** What a step says, given the results so far. */
export function turnOf(step: Exclude<Step, { kind: 'fault' }>, results: string[], mustAnswer: boolean): Turn {
  switch (step.kind) {
    case 'call':
      if (mustAnswer) return { text: JSON.stringify({ partial: true, results: results.length }), stop: 'end' }
      return {
        calls: step.calls.map((call) => ({
          name: call.name,
          arguments: typeof call.arguments === 'string' ? fill(call.arguments, results, true) : call.arguments(results),
        })),
        ...(step.notes && { notes: step.notes }),
        stop: 'end',
      }
    case 'say':
      return {
        text: typeof step.text === 'string' ? fill(step.text, results) : step.text(results),
        ...(step.notes && { notes: step.notes }),
        stop: 'end',
      }
    case 'refuse':
      return { refusal: step.text, stop: 'end' }
    case 'truncate':
      return { text: step.text, stop: 'cut' }
    case 'filter':
      return { text: '', stop: 'filtered' }
    case 'wait':
    case 'ignore':
    case 'approve':
    case 'errors-as-text':
    case 'pause':
      return { text: '', stop: 'end' }
  }
}
