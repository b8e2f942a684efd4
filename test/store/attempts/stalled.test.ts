import { expect, test } from 'vitest'
import { noUsage } from '../../../src/core/run.ts'
import { noteStalled } from '../../../src/store/attempts/stalled.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { finishRun } from '../../../src/store/runs/finish.ts'
import { claim, fallSilent, opened, takenOver, writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase } from '../../support/database/database.ts'

test('a takeover counts attempts that were noted as stalled, before it or just after, and none that went on or was ended', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const failuresOf = (id: string) =>
    query(db, `select number, status, failure ->> 'code' as code from attempts where run_id = $1 order by number`, [id])
  const id = await writeRun(db)

  // Noted, and the loop went on: a death that comes later is one like others.
  const first = await opened(db, id)
  await noteStalled(db, [first], true)
  expect(await failuresOf(id)).toEqual([{ number: 1, status: 'running', code: 'WORKER_STALLED' }])
  await noteStalled(db, [first], false)
  const second = await takenOver(db, id)
  // Noted before the takeover.
  await noteStalled(db, [second], true)
  const third = await takenOver(db, id)
  // And after it, when the worker that took over was faster than the note.
  await fallSilent(db, id)
  expect(await claim(db, id)).toMatchObject({ kind: 'opened', opened: { lost: 3, stalled: 1, tookOver: true } })
  await noteStalled(db, [third], true)
  await fallSilent(db, id)
  const last = await claim(db, id)
  expect(last).toMatchObject({ kind: 'opened', opened: { lost: 4, stalled: 2 } })
  expect((await failuresOf(id)).map(({ code }) => code)).toEqual(['WORKER_LOST', 'WORKER_STALLED', 'WORKER_STALLED', 'WORKER_LOST', null])

  // One that ended as it should stays so, and with another token nothing is noted.
  if (last.kind !== 'opened') throw new Error(last.kind)
  const { attempt } = last.opened
  await noteStalled(db, [{ ...attempt, token: first.token }], true)
  await noteStalled(db, [attempt], true)
  await finishRun(db, attempt, { status: 'succeeded', reasons: [], failure: null, usage: noUsage, costUsd: null })
  await noteStalled(db, [attempt], true)
  expect((await failuresOf(id)).at(-1)).toEqual({ number: 5, status: 'succeeded', code: null })
})
