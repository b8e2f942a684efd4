const BACKSLASH = 92

/** Where the string of a JSON text ends that begins at `from`; the end of the text when it does not. */
export function endOfString(text: string, from: number): number {
  let at = from + 1
  while (at < text.length) {
    const next = text.indexOf('"', at)
    if (next < 0) return text.length
    let slashes = 0
    while (text.charCodeAt(next - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return next
    at = next + 1
  }
  return text.length
}
