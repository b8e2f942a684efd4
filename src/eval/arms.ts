import { existsSync } from 'node:fs'
import { Failure } from '../core/failure.ts'
import { settingsFor } from '../core/rules/models/settings.ts'
import { settingsOf } from '../jobs/sections/model.ts'
import type { Offer } from '../jobs/check.ts'
import type { Job } from '../jobs/job.ts'
import { loadJob } from '../jobs/load.ts'
import type { EvalCase } from './cases/cases.ts'

/** One side of a comparison: what it changes of the job. */
export interface Arm {
  /** As it was written; `job` for the job as it is. */
  name: string
  model?: { provider: string | undefined; name: string }
  /** A job file whose texts, output and tools take the place of the job's. */
  file?: string
  delegate?: 'local' | 'hosted'
}

/** The job as it is. */
export const PLAIN_ARM: Arm = { name: 'job' }

const wrong = (text: string, why: string) =>
  new Failure({
    code: 'COMMAND_INVALID',
    message: `The arm ${text} ${why}.`,
    cure: 'Write model=PROVIDER/NAME, job=FILE or delegate=local|hosted, more than one with commas between them.',
  })

/** Reads `model=openai/gpt-5.4-mini,delegate=hosted`. Throws `COMMAND_INVALID`. */
export function parseArm(text: string): Arm {
  const arm: Arm = { name: text }
  for (const part of text.split(',')) {
    const [key, ...rest] = part.split('=')
    const value = rest.join('=')
    if (value === '') throw wrong(text, `says nothing after ${key ?? ''}`)
    if (key === 'model') {
      const [provider, ...name] = value.split('/')
      arm.model = name.length === 0 ? { provider: undefined, name: value } : { provider, name: name.join('/') }
    } else if (key === 'job') arm.file = value
    else if (key === 'delegate' && (value === 'local' || value === 'hosted')) arm.delegate = value
    else throw wrong(text, `has ${part}, which is not known`)
  }
  return arm
}

/** The job of an arm, before the cases are read over it. Throws `COMMAND_INVALID` when its file is not there, and `JOB_INVALID` when it has a fault. */
export function jobOfArm(job: Job, arm: Arm, offer: Offer): Job {
  if (arm.file === undefined) return job
  if (!existsSync(arm.file))
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The arm ${arm.name} names a job file that is not there: ${arm.file}.`,
      cure: 'Name a file by its path from here, such as --arm job=jobs/new.yaml.',
    })
  const loaded = loadJob(arm.file, offer)
  if (!loaded.ok)
    throw new Failure({
      code: 'JOB_INVALID',
      message: `The job file of the arm ${arm.name} has faults:\n  ${loaded.issues.join('\n  ')}\n`,
    })
  // The cases stay those of the job that is evaluated.
  return { ...loaded.job, name: job.name, file: job.file }
}

/** A case as an arm runs it: the model and the delegate of the arm win over the case. Throws `COMMAND_INVALID` for what cannot be run so. */
export function caseOfArm(one: EvalCase, { model, delegate }: Arm, offer: Offer): EvalCase {
  const { definition } = one
  const how = delegate ?? definition.delegate
  const provider = model?.provider ?? definition.model.provider
  if (!offer.providers.includes(provider))
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `There is no provider ${provider}; there are ${offer.providers.join(', ') || 'none'}.`,
      cure: 'Name one of them: --arm model=PROVIDER/NAME.',
    })
  const cannot = (why: string, cure: string) => new Failure({ code: 'COMMAND_INVALID', message: `The case ${one.name} ${why}.`, cure })
  if (how === 'hosted' && one.record)
    throw cannot(
      'has a record, which a provider that calls the servers itself cannot reach',
      'Compare with delegate=local, or leave the case out with --case.',
    )
  if (how === 'hosted' && !offer.canHost(provider))
    throw cannot(`is hosted, and the provider ${provider} has api: chat`, 'Compare with delegate=local, or another provider.')
  if (how === 'hosted' && !offer.tellsRuns(provider, definition.account))
    throw cannot(
      `is hosted, and the provider ${provider} does not name runs (runHeader: false)`,
      `Set accounts.${definition.account}.perRun: true, or compare with delegate=local.`,
    )
  const name = model?.name ?? definition.model.name
  const isInMoney = definition.limits.costUsd !== undefined || offer.hasMoneyBudget(one.job, definition.account)
  if (isInMoney && !offer.hasPrice(provider, name, definition.model.tier))
    throw cannot(`has a limit in money, and the model ${name} has no price`, 'Add it under prices: in the configuration.')
  const api = offer.apiOf(provider)
  const settings = api ? settingsFor(api, settingsOf(definition.model)) : settingsOf(definition.model)
  const { onNoRoom } = definition.model
  // A trial measures one model: no other goes on for it.
  return {
    ...one,
    definition: { ...definition, model: { provider, name, ...settings, onNoRoom, onRateLimit: 'wait', fallback: [] }, delegate: how },
  }
}
