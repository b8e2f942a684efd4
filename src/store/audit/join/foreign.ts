import { slowQuery, type Db } from '../../postgres/db.ts'
import { idsAndNames, type OurAccount } from '../accounts.ts'

const AT_ONCE = 20_000

/**
 * Sets lines aside that are of nobody of ours: of accounts that this deployment never had, and those without an account that no request of ours
 * explained until `until`. No later round looks at them. Returns how many there were.
 */
export async function setForeignAside(db: Db, ours: readonly OurAccount[], until: Date): Promise<number> {
  const aside = await slowQuery(
    db,
    `with open as (
       select id, account_id, time from authorize_events where matched_by is null and alerted_at is null order by time limit ${AT_ONCE}),
     theirs as (
       select k.account_id from (select distinct account_id from open where account_id is not null) k
       where account_of(k.account_id, $1, $2) is null)
     update authorize_events e set matched_by = 'foreign' from open o
     where e.id = o.id and e.matched_by is null
       and (o.account_id in (select account_id from theirs) or (o.account_id is null and o.time <= $3))
     returning 1`,
    [...idsAndNames(ours), until],
  )
  return aside.length
}

/** Takes lines back that were set aside, of accounts that are ours by now. Returns how many there were. */
export async function takeOursBack(db: Db, ours: readonly OurAccount[]): Promise<number> {
  const back = await slowQuery(
    db,
    `with recursive accounts as (
       -- From each account to the next by the index, however many lines it has.
       (select account_id from authorize_events where matched_by = 'foreign' and account_id is not null order by account_id limit 1)
       union all
       select (select e.account_id from authorize_events e
         where e.matched_by = 'foreign' and e.account_id > a.account_id order by e.account_id limit 1)
       from accounts a where a.account_id is not null)
     update authorize_events e set matched_by = null
     where e.matched_by = 'foreign' and e.account_id = any(array(
       select account_id from accounts where account_id is not null and account_of(account_id, $1, $2) is not null))
     returning 1`,
    idsAndNames(ours),
  )
  return back.length
}
