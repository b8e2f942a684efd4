/** What a cron expression asks for, as sets of values. */
// @ts-nocheck

export interface Fields {
  minute: ReadonlySet<number>
  hour: ReadonlySet<number>
  day: ReadonlySet<number>
  month: ReadonlySet<number>
  weekday: ReadonlySet<number>
  anyDay: boolean
  anyWeekday: boolean
}

/** A minute of real time and what the clock on the wall shows in it; `wall` counts its minutes as if it never jumped. */
export interface WallMinute {
  at: number
  wall: number
}

const MINUTE_MS = 60_000

/** Each minute after `after` and up to `until`, with what a zone's clock shows, and the one before them. */
export function wallMinutes(timeZone: string, after: Date, until: Date): WallMinute[] {
  const clock = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' })
  const minutes: WallMinute[] = []
  for (let at = Math.floor(after.getTime() / MINUTE_MS) * MINUTE_MS; at <= until.getTime(); at += MINUTE_MS)
    minutes.push({ at, wall: Date.parse(`${clock.format(at).replace(' ', 'T')}Z`) / MINUTE_MS })
  return minutes
}

/** The fires among these minutes, but the first: another way to the same answer as `dueFires`, a minute at a time. */
export function wallFires(fields: Fields, [first, ...minutes]: readonly WallMinute[]): Date[] {
  const fires = new Set<number>()
  let latest = first?.wall ?? 0
  for (const { at, wall } of minutes) {
    for (let skipped = latest + 1; skipped < wall; skipped++)
      if (matches(fields, skipped)) fires.add(at + (skipped - latest - 1) * MINUTE_MS)
    const again = wall <= latest
    if (matches(fields, wall) && (!again || fields.hour.size === 24)) fires.add(at)
    latest = Math.max(latest, wall)
  }
  return [...fires].toSorted((a, b) => a - b).map((at) => new Date(at))
}

function matches(fields: Fields, wall: number): boolean {
  const shown = new Date(wall * MINUTE_MS)
  const day = fields.day.has(shown.getUTCDate())
  const weekday = fields.weekday.has(shown.getUTCDay())
  // With both given, cron takes either.
  const date = fields.anyDay ? weekday : fields.anyWeekday ? day : day || weekday
  return (
    date && fields.minute.has(shown.getUTCMinutes()) && fields.hour.has(shown.getUTCHours()) && fields.month.has(shown.getUTCMonth() + 1)
  )
}
