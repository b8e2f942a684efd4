// One model made of those that a job names: it waits for one that cannot answer now, and goes on with the next one. A model is changed between two requests for one turn, so that
// each turn is of one model, which its row names.
import { Failure, describeFailure } from '../../core/failure.ts'
import type { Api, Tier } from '../../core/models/settings.ts'
import { nextStep, type RelayPolicy, type Step } from '../../core/rules/models/next.ts'
import { settingsFor } from '../../core/rules/models/settings.ts'
import type { Price } from '../../core/rules/spending/price.ts'
import type { TurnWait } from '../../core/run.ts'
import { pause } from '../../lib/time/pause.ts'
import type { Model } from '../../models/model.ts'

/** A model that a job names. */
export interface Choice {
  provider: string
  name: string
  api: Api
  model: Model
  price: Price | undefined
}

/** The model that is asked now; after an answer, the one that gave it. */
export interface InUse {
  provider: string
  name: string
  price: Price | undefined
  /** The service tier that it is asked in. */
  tier: Tier | undefined
}

export interface RelayOptions {
  /** In the order in which they go on; at least one. */
  choices: readonly Choice[]
  /** Place of the one that is asked first. */
  start: number
  policy: RelayPolicy
  /** After this time, on the clock of `performance.now()`, nothing is waited for. */
  until: number
  /** A line for operators. */
  warn: (message: string) => void
}

export interface Relay {
  model: Model
  inUse: () => InUse
}

/** Failures of the last model after which an earlier one, which time may heal, is worth another attempt. */
const OF_CONFIGURATION: readonly string[] = ['MODEL_QUOTA', 'MODEL_AUTH', 'MODEL_NOT_FOUND', 'MODEL_REJECTED']

/** Most waits that are kept with a turn, and characters of why. */
const MAX_WAITS = 100
const MAX_MESSAGE = 500

export function createRelay({ choices, start, policy, until, warn }: RelayOptions): Relay {
  let at = start
  /** Flex had no room for so long that the job wants the default tier: for the rest of the attempt. */
  let isDefaultTier = false
  let asked: Tier | undefined
  /** For the next turn. */
  let waits: TurnWait[] = []
  const current = (): Choice => {
    const choice = choices[at]
    if (!choice) throw new Error('A relay has no model.')
    return choice
  }

  function take(step: Step, failure: Failure): void {
    const { provider, name } = current()
    const { code, message } = failure
    const wait: TurnWait = { at: new Date().toISOString(), provider, model: name, code, message: message.slice(0, MAX_MESSAGE) }
    const note = (what: Pick<TurnWait, 'waitMs' | 'next'>) => waits.length < MAX_WAITS && waits.push({ ...wait, ...what })
    switch (step.kind) {
      case 'wait':
        // One line says why it waits; how often it did is in the row of the turn.
        if (waits.at(-1)?.code !== code)
          warn(`The run waits for ${Math.ceil(step.waitMs / 1000)} s, and then asks again: ${describeFailure(failure)}`)
        note({ waitMs: step.waitMs })
        return
      case 'default-tier':
        isDefaultTier = true
        warn(`The run goes on in the default tier, at its price (model.onNoRoom): ${message}`)
        note({ next: 'default tier' })
        return
      case 'next-model': {
        at++
        const next = current()
        warn(`The run goes on with the model ${next.provider}/${next.name}: ${message}`)
        note({ next: `${next.provider}/${next.name}` })
        return
      }
      case 'fail':
    }
  }

  return {
    inUse() {
      const { provider, name, price } = current()
      return { provider, name, price, tier: asked }
    },
    model: {
      async respond(request, signal, counts) {
        const firstLeftMs = until - performance.now()
        const left: Failure[] = []
        for (let tries = 0; ;) {
          const { provider, name, api, model } = current()
          const settings = settingsFor(api, request.settings ?? {})
          if (isDefaultTier && settings.tier === 'flex') settings.tier = 'default'
          asked = settings.tier
          try {
            const turn = await model.respond({ ...request, settings }, signal, counts)
            const waited = waits
            waits = []
            return { ...turn, provider, ...(waited.length > 0 && { waits: waited }) }
          } catch (error) {
            signal.throwIfAborted()
            if (!(error instanceof Failure)) throw error
            const step = nextStep({
              failure: error,
              policy,
              hasNext: at + 1 < choices.length,
              waits: tries,
              leftMs: until - performance.now(),
              leftAtFirstMs: firstLeftMs,
            })
            if (step.kind === 'fail') {
              const healing = OF_CONFIGURATION.includes(error.code) ? left.find(({ retry }) => retry === 'later') : undefined
              if (healing) warn(`The model ${provider}/${name} cannot go on: ${describeFailure(error)}`)
              throw healing ?? error
            }
            take(step, error)
            if (step.kind === 'wait') {
              tries++
              await pause(step.waitMs, signal)
              signal.throwIfAborted()
            } else {
              tries = 0
              left.push(error)
            }
          }
        }
      },
    },
  }
}
