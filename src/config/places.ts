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

/** The variable that the value of a path names, as the file has it; undefined where there is none. */
export function variableAt(config: object, path: readonly string[]): string | undefined {
  const from = files.get(config)
  const line = from?.text.split('\n')[from.place.lineOf(path) - 1] ?? ''
  const named = [...line.matchAll(/(?<!\w)(\w{1,60}): *["']?\$\{([A-Za-z_]\w{0,200})/g)]
  return named.find(([, key]) => key === path.at(-1))?.[2]
}

/** A fault of a configuration that was read, with the file and the line of its path. */
export function showFault(config: object, path: readonly string[], message: string): string {
  const from = files.get(config)
  return showIssue(from?.file ?? 'configuration', { line: from?.place.lineOf(path) ?? 1, field: path.join('.'), message })
}
