import { runEntries } from '../../../src/audit/evidence/bundle.ts'
import { proveRun } from '../../../src/audit/evidence/proof.ts'
import { loadDefinitions } from '../../../src/store/audit/evidence.ts'
import type { Db } from '../../../src/store/postgres/db.ts'
import { loadRun } from '../../../src/store/runs/show.ts'

/** The proof of a run, as an export has it. */
export async function proofOf(db: Db, id: string): ReturnType<typeof proveRun> {
  const run = await loadRun(db, id)
  if (!run) throw new Error('the run is gone')
  return proveRun(db, id, runEntries({ run, definitions: await loadDefinitions(db, id) }))
}
