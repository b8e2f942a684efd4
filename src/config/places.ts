import { showIssue, type Place } from '../lib/yaml/file.ts'

/** Files of the configurations that were read: beside them, since two that say the same are equal. */
const files = new WeakMap<object, { file: string; place: Place }>()

export const rememberPlaces = (config: object, file: string, place: Place): void => void files.set(config, { file, place })

/** A fault of a configuration that was read, with the file and the line of its path. */
export function showFault(config: object, path: readonly string[], message: string): string {
  const from = files.get(config)
  return showIssue(from?.file ?? 'configuration', { line: from?.place.lineOf(path) ?? 1, field: path.join('.'), message })
}
