import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { environment } from '../../../src/config/environment.ts'
import { factsText } from '../../../src/core/words/facts.ts'
import { renderTemplate } from '../../../src/jobs/template/render.ts'

const TEMPLATES = [
  '{{ fire_time }}',
  '{{ now }}',
  '{{ previous_fire }}',
  '{{ period.from }}/{{ period.to }}',
  '{{ fire_time | date }}',
  '{{ fire_time | date: "%F" }}',
  '{{ fire_time | date: "%c %x %X %r" }}',
  '{{ fire_time | date: "%A %d %B %Y, %H:%M %Z (%z)" }}',
  '{{ fire_time | date: "%G-W%V-%u, %U %W %j" }}',
  '{{ fire_time | date: "%s %L" }}',
  '{{ "now" | date: "%F %T" }}',
  '{{ "today" | date: "%v" }}',
  '{{ "2026-03-29" | date: "%F %T %:z" }}',
  '{{ "2026-10-25T02:30" | date: "%F %T %:z" }}',
  '{{ "2026-10-25T02:30:00Z" | date: "%F %T %:z" }}',
  '{{ 1774746000 | date: "%F %T" }}',
  '{{ fire_time | plus_days: 1 }}',
  '{{ fire_time | minus_days: 1 | date: "%F" }}',
  '{{ fire_time | plus_hours: 24 }}',
  '{{ fire_time | minus_minutes: 90 }}',
  '{{ fire_time | plus_weeks: 1 }}',
  '{{ fire_time | minus_months: 1 | date: "%B" }}',
  '{{ fire_time | plus_years: 1 }}',
  '{{ fire_time | date_to_xmlschema }}',
  '{{ fire_time | date_to_rfc822 }}',
  '{{ fire_time | date_to_string: "ordinal" }}',
  '{{ fire_time | json }} {{ period | json }}',
  '{% if fire_time > previous_fire and fire_time < "2026-06-01" %}before summer{% else %}after{% endif %}',
  '{% assign yesterday = fire_time | minus_days: 1 %}{{ yesterday | date: "%a" }}',
  '{{ fire_time | date: "%H", "Asia/Tokyo" }} {{ fire_time | append: "" | slice: 0, 10 }}',
]

const ZONES = ['Europe/Zurich', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu']

/** Around the changes of the clock of these zones, and a New Year. */
const FIRES = [
  '2026-03-29T00:59:59Z',
  '2026-03-29T01:00:00Z',
  '2026-10-25T00:30:00Z',
  '2026-10-25T01:30:00Z',
  '2026-03-08T07:00:00Z',
  '2026-11-01T06:30:00Z',
  '2026-04-04T15:00:00Z',
  '2026-10-03T15:30:00Z',
  '2026-12-31T23:30:00Z',
]

const HOUR_MS = 3_600_000

/** The line of facts and all templates, with all zones and fires, in one order. */
function renderAll(
  render: typeof renderTemplate,
  factsOf: typeof factsText,
  templates: string[],
  zones: string[],
  fires: string[],
  hourMs: number,
): string[] {
  return zones.flatMap((timezone) =>
    fires.flatMap((fire) => {
      const fireTime = new Date(fire)
      const ago = (hours: number) => new Date(fireTime.getTime() - hours * hourMs)
      const scope = { input: {}, job: 'j', runId: 'r', trigger: 'schedule', timezone } as const
      const times = { fireTime, now: ago(-1), previousFire: ago(24), period: { from: ago(24), to: fireTime } }
      const facts = { ...scope, ...times, occasion: 'schedule', fireAt: fireTime, turns: 20, toolCalls: 50, deadline: '10m' } as const
      return [factsOf(facts), ...templates.map((template) => render(template, { ...scope, ...times }))]
    }),
  )
}

const moduleOf = (file: string) => JSON.stringify(join(import.meta.dirname, '../../../src', file))
const PROGRAM = `
const { renderTemplate } = await import(${moduleOf('jobs/template/render.ts')})
const { factsText } = await import(${moduleOf('core/words/facts.ts')})
const renderAll = ${renderAll.toString()}
process.stdout.write(JSON.stringify({ offset: new Date(0).getTimezoneOffset(), texts: renderAll(renderTemplate, factsText, ...${JSON.stringify([TEMPLATES, ZONES, FIRES, HOUR_MS])}) }))`

function renderedIn(zone: string) {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    env: { ...environment, TZ: zone, LANG: 'de_CH.UTF-8', LC_ALL: 'de_CH.UTF-8', NODE_OPTIONS: '' },
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  return z.strictObject({ offset: z.number(), texts: z.array(z.string()) }).parse(JSON.parse(stdout))
}

test.each([
  ['UTC', 0],
  ['America/New_York', 300],
  ['Pacific/Auckland', -720],
])(
  'a process in %s writes the facts of a run and 30 templates, in 4 zones around changes of the clock, as any other does',
  { timeout: 60_000 },
  (zone, offset) => {
    const found = renderedIn(zone)
    expect(found.offset).toBe(offset)
    expect(found.texts).toHaveLength((TEMPLATES.length + 1) * ZONES.length * FIRES.length)
    expect(found.texts).toEqual(renderAll(renderTemplate, factsText, TEMPLATES, ZONES, FIRES, HOUR_MS))
  },
)

/** A date without a time, as a job may make one, with what it is in each zone. */
const DAYS: readonly [template: string, text: string][] = [
  ['{{ input.day | date: "%F" }}', '2026-01-31'],
  ['{{ input.day | date: "%F %a", "Asia/Tokyo" }}', '2026-01-31 Sat'],
  ['{{ input.day | date: "%F", "America/New_York" }}', '2026-01-31'],
  ['{{ input.day | plus_days: 1 }}', '2026-02-01'],
  ['{{ input.day | plus_days: 1 | json }}', '"2026-02-01"'],
  ['{{ input.day | minus_weeks: 1 | date: "%F", "Pacific/Auckland" }}', '2026-01-24'],
  ['{{ input.day | plus_months: 1 | date: "%F", "Pacific/Pago_Pago" }}', '2026-02-28'],
  ['{{ input.day | plus_days: 1 | plus_days: 1 | date: "%F", "America/New_York" }}', '2026-02-02'],
  ['{{ input.day | date_to_string }}', '31 Jan 2026'],
  ['{% assign next = input.day | plus_days: 1 %}{% if next == "2026-02-01" %}equal{% endif %}', 'equal'],
  ['{{ " 2026-01-31 " | date: "%F", "America/New_York" }}', '2026-01-31'],
  // A time of the day moves with the zone.
  ['{{ input.day | plus_hours: 1 | date: "%H:%M" }}', '01:00'],
]

test.each(['UTC', 'Pacific/Auckland', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Pago_Pago'])(
  'a date without a time stays that day for a job in %s, whatever zone it is written in',
  (timezone) => {
    const at = new Date('2026-01-31T23:30:00Z')
    const scope = { input: { day: '2026-01-31' }, job: 'j', runId: 'run_1', fireTime: at, now: at, previousFire: undefined, period: undefined, trigger: 'schedule', timezone } as const // prettier-ignore
    for (const [template, text] of DAYS) expect([template, renderTemplate(template, scope)]).toEqual([template, text])
  },
)
