import { fieldsOf } from '../../lib/time/cron-fault.ts'
import type { Fault } from '../faults/fault.ts'
import type { JobDefinition } from '../schema.ts'

/** Names of an offset, with a place that people mean by it. */
const OFFSETS: Record<string, string> = {
  EST: 'America/New_York',
  MST: 'America/Denver',
  HST: 'Pacific/Honolulu',
}

/** A schedule that is due at other times than its author may think. */
export function scheduleWarnings({ schedule, timezone }: Pick<JobDefinition, 'schedule' | 'timezone'>): Fault[] {
  const faults: Fault[] = []
  for (const zone of new Set([timezone, schedule?.timezone ?? timezone])) {
    const place = placeFor(zone)
    if (place !== undefined)
      faults.push({
        path: schedule?.timezone === zone ? ['schedule', 'timezone'] : ['timezone'],
        message: `is ${zone}, an offset and no place: it knows no summer time; write a name such as ${place}`,
      })
  }
  const [, , day = '*', , weekday = '*'] = schedule ? fieldsOf(schedule.cron) : []
  if (!OPEN.has(day) && !OPEN.has(weekday))
    faults.push({
      path: ['schedule', 'cron'],
      message: `names days of the month (${day}) and of the week (${weekday}): it is due on each of both, not only where they meet; write * for one of them`,
    })
  return faults
}

const placeFor = (zone: string): string | undefined => (/^[+-]\d/.test(zone) ? 'Europe/Zurich' : OFFSETS[zone.toUpperCase()])

const OPEN = new Set(['*', '?', '*/1'])
