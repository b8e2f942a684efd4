// @ts-nocheck
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { startRedis } from './redis.ts'

export type QueueKind = 'redis' | 'embedded'

export interface Place {
  dir: string
  jobsDir: string
  redisUrl: string | undefined
}

/** A directory with the job files, and a Redis when one is asked for; both go with the stack. Undefined: there is no Redis on this machine. */
export async function makePlace(
  kind: QueueKind,
  jobs: Record<string, Record<string, unknown>>,
  stack: AsyncDisposableStack,
): Promise<Place | undefined> {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-bench-'))
  chmodSync(dir, 0o711)
  stack.defer(() => rmSync(dir, { recursive: true, force: true }))
  const redisUrl = kind === 'redis' ? await startRedis(dir, stack) : undefined
  if (kind === 'redis' && redisUrl === undefined) return undefined
  const jobsDir = join(dir, 'jobs')
  mkdirSync(jobsDir)
  for (const [name, job] of Object.entries(jobs)) writeFileSync(join(jobsDir, `${name}.yaml`), stringify(job))
  return { dir, jobsDir, redisUrl }
}
