/** Code points a terminal or page could act on: C0 and C1 controls (but tab and newline), DEL, bidi controls, line separators, BOM. */
// @ts-nocheck

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
  while (end > 0 && (bytes.readUInt8(end) & 0xc0) === 0x80) end--
  return { text: bytes.subarray(0, end).toString(), truncated: true }
}
