// Dates as strftime writes them, in English and in the zone of the date. Whatever the process's zone and language are, the text is the same.
import type { Temporal } from 'temporal-polyfill'

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const SHORT = 3

type Time = Temporal.ZonedDateTime

/** A number with the width it is padded to, with zeros or with spaces; a text; or a format that the code stands for. */
type Code = { number: (time: Time) => number; width: number; pad?: ' ' } | { text: (time: Time) => string } | { format: string }

const hour12 = ({ hour }: Time) => hour % 12 || 12
const weekday = ({ dayOfWeek }: Time) => DAYS[dayOfWeek - 1] ?? ''
const month = ({ month: number }: Time) => MONTHS[number - 1] ?? ''
/** Week of the year, from the first Monday or Sunday on; what is before that is week 0. */
const weekFrom = (first: 0 | 1) => (time: Time) => Math.floor((time.dayOfYear + 6 - ((time.dayOfWeek - first + 7) % 7)) / 7)
const epochSeconds = ({ epochMilliseconds }: Time) => Math.floor(epochMilliseconds / 1000)
const ORDINALS: Readonly<Record<number, string>> = { 1: 'st', 2: 'nd', 3: 'rd' }

/** `1st`, `2nd`, `23rd`, `11th`. */
export const ordinal = (day: number): string => `${day}${(day > 10 && day < 14 ? undefined : ORDINALS[day % 10]) ?? 'th'}`

const CODES: Readonly<Record<string, Code>> = {
  a: { text: (time) => weekday(time).slice(0, SHORT) },
  A: { text: weekday },
  b: { text: (time) => month(time).slice(0, SHORT) },
  B: { text: month },
  c: { format: '%a %b %e %H:%M:%S %Y' },
  C: { number: ({ year }) => Math.floor(year / 100), width: 2 },
  d: { number: ({ day }) => day, width: 2 },
  D: { format: '%m/%d/%y' },
  e: { number: ({ day }) => day, width: 2, pad: ' ' },
  F: { format: '%Y-%m-%d' },
  g: { number: ({ yearOfWeek = 0 }) => yearOfWeek % 100, width: 2 },
  G: { number: ({ yearOfWeek = 0 }) => yearOfWeek, width: 4 },
  h: { format: '%b' },
  H: { number: ({ hour }) => hour, width: 2 },
  I: { number: hour12, width: 2 },
  j: { number: ({ dayOfYear }) => dayOfYear, width: 3 },
  k: { number: ({ hour }) => hour, width: 2, pad: ' ' },
  l: { number: hour12, width: 2, pad: ' ' },
  L: { number: ({ millisecond }) => millisecond, width: 3 },
  m: { number: ({ month: number }) => number, width: 2 },
  M: { number: ({ minute }) => minute, width: 2 },
  n: { text: () => '\n' },
  N: { number: ({ millisecond, microsecond, nanosecond }) => millisecond * 1e6 + microsecond * 1e3 + nanosecond, width: 9 },
  p: { text: ({ hour }) => (hour < 12 ? 'AM' : 'PM') },
  P: { text: ({ hour }) => (hour < 12 ? 'am' : 'pm') },
  q: { number: ({ month: number }) => Math.ceil(number / 3), width: 1 },
  r: { format: '%I:%M:%S %p' },
  R: { format: '%H:%M' },
  s: { number: epochSeconds, width: 1 },
  S: { number: ({ second }) => second, width: 2 },
  t: { text: () => '\t' },
  T: { format: '%H:%M:%S' },
  u: { number: ({ dayOfWeek }) => dayOfWeek, width: 1 },
  U: { number: weekFrom(0), width: 2 },
  v: { format: '%e-%^b-%Y' },
  V: { number: ({ weekOfYear = 0 }) => weekOfYear, width: 2 },
  w: { number: ({ dayOfWeek }) => dayOfWeek % 7, width: 1 },
  W: { number: weekFrom(1), width: 2 },
  x: { format: '%m/%d/%y' },
  X: { format: '%H:%M:%S' },
  y: { number: ({ year }) => year % 100, width: 2 },
  Y: { number: ({ year }) => year, width: 4 },
  z: { text: ({ offset }) => offset.replace(':', '') },
  Z: { text: ({ timeZoneId }) => timeZoneId },
  '+': { format: '%a %b %e %H:%M:%S %Z %Y' },
  '%': { text: () => '%' },
}

/** Flags (`-` no padding, `0` and `_` padding, `^` upper case, `#` the other case, `:` in an offset), a width, the code. */
const DIRECTIVE = /%([-0_^#:]*)(\d{0,3})(.?)/gsu

/** Codes in a format that strftime does not know, as they were written; a lone `%` at the end is one. */
export function unknownCodes(format: string): string[] {
  return [...format.matchAll(DIRECTIVE)].flatMap(([written, , , code = '']) => (Object.hasOwn(CODES, code) ? [] : [written]))
}

/** Writes a date as the format says. Throws an `Error` that names the codes it does not know. */
export function strftime(time: Time, format: string): string {
  const unknown = unknownCodes(format)
  if (unknown.length > 0) throw new Error(`the date format ${describeUnknown(unknown)}`)
  return write(time, format)
}

/** What is wrong with a format, and what cures it. */
export const describeUnknown = (codes: readonly string[]): string =>
  `has ${codes.join(' and ')}, which strftime does not know; write for example %Y-%m-%d, or %% for a percent sign`

function write(time: Time, format: string): string {
  return format.replaceAll(DIRECTIVE, (_, flags: string, width: string, name: string) => {
    const code = CODES[name]
    if (!code) return ''
    return change(pad(time, code, flags, width, name), flags)
  })
}

function pad(time: Time, code: Code, flags: string, written: string, name: string): string {
  if ('number' in code) {
    // Fractions of a second are cut to the width from the right.
    if (name === 'N' || name === 'L')
      return String(code.number(time))
        .padStart(code.width, '0')
        .slice(0, written === '' ? undefined : Number(written))
    const fill = flags.includes('_') ? ' ' : flags.includes('0') ? '0' : (code.pad ?? '0')
    return String(code.number(time)).padStart(flags.includes('-') ? 1 : Number(written || code.width), fill)
  }
  const text = 'format' in code ? write(time, code.format) : name === 'z' && flags.includes(':') ? time.offset : code.text(time)
  return text.padStart(Number(written), flags.includes('0') ? '0' : ' ')
}

function change(text: string, flags: string): string {
  if (flags.includes('^')) return text.toUpperCase()
  if (!flags.includes('#')) return text
  return text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase()
}
