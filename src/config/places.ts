import { showIssue, type Place } from '../lib/yaml/file.ts'

/** The file of a configuration, as it was read. */
interface Written {
  file: string
  text: string
  place: Place
}

/** Files of the configurations that were read: beside them, since two that say the same are equal. */
const files = new WeakMap<object, Written>()

export const rememberPlaces = (config: object, written: Written): void => void files.set(config, written)

export const placesOf = (config: object): Written | undefined => files.get(config)

/** A fault of a configuration that was read, with the file and the line of its path. */
export function showFault(config: object, path: readonly string[], message: string): string {
  const from = files.get(config)
  return showIssue(from?.file ?? 'configuration', { line: from?.place.lineOf(path) ?? 1, field: path.join('.'), message })
}
