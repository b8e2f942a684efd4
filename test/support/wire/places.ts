/**
 * The places of a value where a text can be planted, as paths, found by structure: each leaf, whatever it is, `+` for a key that is added to an object or an entry to a list, and
 * `~` before what stands in a text as JSON.
 */
export function placesIn(value: unknown, path = ''): string[] {
  const at = (key: string | number) => (path === '' ? String(key) : `${path}.${key}`)
  if (typeof value === 'object' && value !== null)
    return [...Object.entries(value).flatMap(([key, one]) => placesIn(one, at(key))), at('+')]
  const packed = packedIn(value)
  return [path, ...(packed === undefined ? [] : placesIn(packed, at('~')))]
}

/** The value with the text at all of these places: behind a text, in the place of anything else. */
export function planted(value: unknown, places: ReadonlySet<string>, text: string, path = ''): unknown {
  const at = (key: string | number) => (path === '' ? String(key) : `${path}.${key}`)
  if (Array.isArray(value)) {
    const list = value.map((one, i) => planted(one, places, text, at(i)))
    return places.has(at('+')) ? [...list, text] : list
  }
  if (typeof value === 'object' && value !== null) {
    const fields = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, planted(one, places, text, at(key))]))
    return places.has(at('+')) ? { ...fields, [text]: text } : fields
  }
  if (places.has(path)) return typeof value === 'string' && value !== '' ? `${value} ${text}` : text
  const packed = packedIn(value)
  return packed === undefined ? value : JSON.stringify(planted(packed, places, text, at('~')))
}

/** The JSON that a text is. */
function packedIn(text: unknown): unknown {
  if (typeof text !== 'string' || !/^[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
