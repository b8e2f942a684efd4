/** Code points a terminal or page could act on: C0 and C1 controls (but tab and newline), DEL, bidi controls, line separators, BOM. */
const ACTIVE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

const escapeOf = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Makes foreign text safe to show: what would be executed is shown as `\uXXXX`. Newlines and tabs stay. */
export function showText(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(ACTIVE, escapeOf).replace(LONE_SURROGATE, escapeOf)
}

/** The same on one line. */
export function showLine(text: string): string {
  return showText(text).replaceAll(/[\n\t]+/g, ' ')
}

/** Words of ours as a sentence: with a capital letter, and a full stop where it ends without any. */
export const sentence = (words: string): string => `${words.slice(0, 1).toUpperCase()}${words.slice(1)}${/[.?!…]$/.test(words) ? '' : '.'}`

/** For Postgres `text`: without NUL and lone surrogates, which it cannot hold. */
export function storeText(text: string): string {
  return text.replaceAll('\0', '\ufffd').replace(LONE_SURROGATE, '\ufffd')
}

/** Cuts at a number of UTF-8 bytes, at a character, and says whether it did. */
export function cutBytes(text: string, maxBytes: number): { text: string; truncated: boolean } {
  if (text.length * 3 <= maxBytes) return { text, truncated: false }
  const bytes = Buffer.from(text)
  if (bytes.length <= maxBytes) return { text, truncated: false }
  let end = maxBytes
  while (end > 0 && isInsideCharacter(bytes, end)) end--
  return { text: bytes.subarray(0, end).toString(), truncated: true }
}

const isInsideCharacter = (bytes: Buffer, at: number) => (bytes.readUInt8(at) & 0xc0) === 0x80

const HEAD_SHARE = 0.75

/**
 * Keeps the beginning and the end of a text that is over a number of UTF-8 bytes, at whole lines where a line end is near. `bytes` is the size of the whole.
 */
export function cutMiddle(text: string, maxBytes: number): { head: string; tail: string; bytes: number } | undefined {
  if (text.length * 3 <= maxBytes) return undefined
  const bytes = Buffer.byteLength(text)
  if (bytes <= maxBytes) return undefined
  const headBytes = Math.ceil(maxBytes * HEAD_SHARE)
  const head = cutBytes(text, headBytes).text
  const all = Buffer.from(text)
  let from = bytes - (maxBytes - headBytes)
  while (from < bytes && isInsideCharacter(all, from)) from++
  const tail = all.subarray(from).toString()
  const headEnd = head.lastIndexOf('\n')
  const tailStart = tail.indexOf('\n')
  return {
    head: headEnd > head.length / 2 ? head.slice(0, headEnd) : head,
    tail: tailStart >= 0 && tailStart < tail.length / 2 ? tail.slice(tailStart + 1) : tail,
    bytes,
  }
}

/** A size as a person says it: 812 bytes, 4.1 KB, 188 KB, 17 MB. */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`
  const [value, unit] = bytes < 1024 ** 2 ? [bytes / 1024, 'KB'] : [bytes / 1024 ** 2, 'MB']
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`
}
