import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { deliverFault } from '../../../src/delivery/destinations/registry.ts'
import type { Offer } from '../../../src/jobs/check.ts'
import { loadJob } from '../../../src/jobs/load.ts'

export const OFFER: Offer = {
  accounts: ['reports', 'audit'],
  providers: ['openai'],
  pricedModels: ['priced'],
  hasPrice: (_, model, tier) => model === 'priced' && tier !== 'priority',
  apiOf: (provider) => (provider === 'openai' ? 'responses' : undefined),
  canHost: (provider) => provider === 'openai',
  tellsRuns: () => true,
  deliverFault: (entry) =>
    deliverFault(entry, { reportsDir: '', reportsReadableBy: 'owner', webhooks: { team: { url: 'https://hooks.example/' } } }),
  hasMoneyBudget: () => false,
}

/** The least that is a job. */
export const GOOD = `account: reports
model: { provider: openai, name: m }
prompt: Go
tools:
  labor: { allow: [query] }
`

export interface JobFiles {
  /** An empty directory, removed after the file's tests. */
  freshDir: () => string
  /** Lines without the directory they name. */
  plain: (dir: string, lines: readonly string[]) => string[]
  /** Writes a file and returns the faults that loading it finds. */
  faults: (text: string, file?: string, offer?: Offer) => string[]
}

export function createJobFiles(): JobFiles {
  const root = mkdtempSync(join(tmpdir(), 'nightshift-jobs-'))
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  const freshDir = () => mkdtempSync(join(root, 'dir-'))
  const plain = (dir: string, lines: readonly string[]) => lines.map((line) => line.replaceAll(`${dir}/`, ''))
  return {
    freshDir,
    plain,
    faults(text, file = 'job.yaml', offer = OFFER) {
      const dir = freshDir()
      writeFileSync(join(dir, file), text)
      const loaded = loadJob(join(dir, file), offer)
      return loaded.ok ? [] : plain(dir, loaded.issues)
    },
  }
}
