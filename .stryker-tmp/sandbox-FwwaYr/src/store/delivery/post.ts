// @ts-nocheck
import type { Parameters } from '../postgres/parameters.ts'

/** A report to be sent, or one that its `when` rules out, kept so that it is known why. */
export interface NewDelivery {
  id: string
  target: unknown
  status: 'pending' | 'skipped'
}

/** The part of a statement that writes the reports of what it `ended` (run_id, attempt). */
export function postDeliveries(add: Parameters['add'], deliveries: readonly NewDelivery[] = []): string {
  const ids = add(deliveries.map(({ id }) => id))
  const targets = add(deliveries.map(({ target }) => JSON.stringify(target)))
  const statuses = add(deliveries.map(({ status }) => status))
  return `
    insert into deliveries (id, run_id, attempt, target, status, ended_at)
    select d.id, e.run_id, e.attempt, d.target, d.status, case when d.status = 'skipped' then now() end
    from ended e, unnest(${ids}::uuid[], ${targets}::json[], ${statuses}::text[]) as d(id, target, status)`
}
