import { parseTree, visit, type Node } from 'jsonc-parser'

export type JsonNode = Node

/** Where each value of a JSON text stands; undefined when it is nested too deep to be walked. */
export function treeOf(json: string): JsonNode | undefined {
  try {
    return parseTree(json)
  } catch {
    return undefined
  }
}

/** The node that a JSON pointer names. Of a key that stands there twice, the last, as everywhere. */
export function nodeAt(tree: JsonNode, pointer: string): JsonNode | undefined {
  let at: JsonNode | undefined = tree
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (at?.type === 'array') at = at.children?.[Number(key)]
    else at = at?.children?.findLast(({ children }) => children?.[0]?.value === key)?.children?.[1]
  }
  return at
}

/** The JSON pointer of the first key that stands twice in one object, of which a value would be dropped in silence. Of a text that is nested too deep to be walked, none. */
export function keyTwice(json: string): string | undefined {
  let twice: string | undefined
  const open: Set<string>[] = []
  try {
    visit(json, {
      onObjectBegin: () => void open.push(new Set()),
      onObjectEnd: () => void open.pop(),
      onObjectProperty(key, _offset, _length, _line, _character, path) {
        if (open.at(-1)?.has(key)) twice ??= pointerTo([...path(), key])
        open.at(-1)?.add(key)
      },
    })
  } catch {
    return undefined
  }
  return twice
}

/** The JSON pointer of a path of keys and places. */
export const pointerTo = (path: readonly (string | number)[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** The text of a node, as it was written. */
export const sourceOf = (json: string, { offset, length }: JsonNode): string => json.slice(offset, offset + length)
