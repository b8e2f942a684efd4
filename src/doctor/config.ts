import type { KnownProcess } from '../store/processes.ts'
import { warning, type Finding } from './check.ts'

/** Keys of the file that take a restart and have not had one, once for all processes where they are the same. A file with a fault is a duty that fails. */
export function faultsOfConfig(alive: readonly KnownProcess[]): Finding[] {
  const waiting = alive.flatMap(({ name, config }) =>
    config && config.waiting.length > 0 ? [{ name, keys: config.waiting.join(', ') }] : [],
  )
  return [...Map.groupBy(waiting, ({ keys }) => keys)].map(([keys, [first, ...others]]) => {
    const where = `${first?.name ?? ''}${others.length === 0 ? '' : ` and ${others.length} more`}`
    return warning(
      'config',
      `These keys are not in force in ${where} as the file has them: ${keys}.`,
      'Start it again: they take a restart.',
    )
  })
}
