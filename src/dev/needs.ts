import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { messageOf } from '../core/failure.ts'
import { isObject } from '../lib/json/object.ts'

/** What the job files of a directory name of a configuration. */
export interface Needs {
  accounts: ReadonlySet<string>
  providers: ReadonlySet<string>
  models: ReadonlySet<string>
  servers: ReadonlySet<string>
  webhooks: ReadonlySet<string>
}

/** Read loosely: what is wrong with a file is said when it is read as a job. */
export function needsOf(jobsDir: string): Needs {
  const needs = { accounts: new Set<string>(), providers: new Set<string>(), models: new Set<string>(), servers: new Set<string>(), webhooks: new Set<string>() } // prettier-ignore
  const add = (to: Set<string>, value: unknown) => {
    if (typeof value === 'string' && value !== '') to.add(value)
  }
  for (const file of filesOf(jobsDir)) {
    const job = read(join(jobsDir, file))
    if (!isObject(job)) continue
    const { account, model, tools, deliver } = job
    add(needs.accounts, account)
    for (const one of isObject(model) ? [model, ...listOf(model['fallback'])] : [])
      if (isObject(one)) {
        add(needs.providers, one['provider'])
        add(needs.models, one['name'])
      }
    for (const server of isObject(tools) ? Object.keys(tools) : []) add(needs.servers, server)
    for (const entry of listOf(deliver)) if (isObject(entry)) add(needs.webhooks, entry['webhook'])
  }
  return needs
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

function filesOf(dir: string): string[] {
  try {
    return readdirSync(dir).filter((file) => /\.ya?ml$/.test(file) && !/\.(lock|cases)\.yaml$/.test(file))
  } catch {
    return []
  }
}

function read(path: string): unknown {
  try {
    return parse(readFileSync(path, 'utf8'), { logLevel: 'silent', maxAliasCount: 100 })
  } catch (error) {
    return messageOf(error)
  }
}
