// Regular expressions of ours meet foreign text on the event loop: one that backtracks over a text of a megabyte stops the process for minutes.
import { relative, resolve, sep } from 'node:path'
import { analyse } from 'scslre'

const SRC = resolve(import.meta.dirname, '../../src')

/**
 * Why matching may take more than linear time, with the text that does it; undefined where it does not. Found by the structure of the pattern: quantifiers that share
 * characters with what follows them or with themselves, and one that is tried again from each place (`Move`).
 */
export function whySlow(source, flags) {
  const [report] = analyse({ source, flags }, { maxReports: 1 }).reports
  if (!report) return undefined
  const kind = report.exponential ? 'exponential' : 'more than linear'
  return `it takes ${kind} time for a text that repeats ${JSON.stringify(report.character.literal.source)} (${report.type.toLowerCase()}). Say where a match may begin, such as (?<!x)x+, or what may not follow.`
}

const linear = {
  create(context) {
    if (relative(SRC, context.filename).startsWith(`..${sep}`)) return {}
    return {
      Literal(node) {
        if (!node.regex) return
        const why = whySlow(node.regex.pattern, node.regex.flags)
        if (why !== undefined) context.report({ node, message: `This pattern is not linear: ${why}` })
      },
    }
  },
}

export default { meta: { name: 'patterns' }, rules: { linear } }
