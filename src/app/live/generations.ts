import type { Config } from '../../config/load.ts'
import { keysUrlOf } from '../../config/sections/api.ts'
import type { Sender } from '../../delivery/destinations/destination.ts'
import type { Callers, PomeriumRoute } from '../../http/identity.ts'
import type { Offer } from '../../jobs/check.ts'
import type { Provider } from '../../models/provider.ts'
import type { RunResources } from '../../runs/resources.ts'
import { callersOf, createRunResources, destinationsOf, offerOf } from '../resources.ts'
import { createParts } from './parts.ts'

/** Everything that is made of one configuration, and is made anew of the next. */
export interface Generation {
  config: Config
  resources: RunResources
  destinations: Sender
  /** What job files are held against. */
  offer: Offer
  callers: Callers
  pomerium: PomeriumRoute | undefined
}

export interface Generations extends AsyncDisposable {
  /** The one in force, for what is asked of it at once. */
  now: () => Generation
  /** The one in force, for work that takes its time: it stays open until the work is over, whatever is in force by then. */
  hold: () => Generation & Disposable
  /** Puts another in force. `CONFIG_INVALID` when it cannot be made: the one before stays. */
  replace: (config: Config) => void
}

export interface GenerationsOptions {
  config: Config
  wrapProvider: (provider: Provider) => Provider
  /** What a generation that is over met as it was closed. */
  onFailure: (error: unknown) => void
}

const NOBODY: Callers = { tokens: {}, users: {}, groups: {} }

/** Keeps what the configuration in force makes, and what earlier ones made for as long as somebody works with it. */
export function createGenerations({ config: first, wrapProvider, onFailure }: GenerationsOptions): Generations {
  const parts = createParts()
  const all = new Set<Kept>()
  let inForce = first
  let current = keep(first)

  function keep(config: Config): Kept {
    const stack = new AsyncDisposableStack()
    try {
      const made = createRunResources(config, stack, parts, () => inForce)
      const providers = new Map([...made.providers].map(([name, provider]) => [name, wrapProvider(provider)]))
      const destinations = stack.adopt(destinationsOf(config, parts.redactor), (sender) => sender.close())
      const { api } = config
      const pomerium = api?.pomerium && { audience: api.pomerium.audience, jwksUrl: keysUrlOf(api.pomerium) }
      const callers = api ? callersOf(api) : NOBODY
      const kept = {
        generation: { config, resources: { ...made, providers }, destinations, offer: offerOf(config), callers, pomerium },
        stack,
        users: 0,
      }
      all.add(kept)
      return kept
    } catch (error) {
      stack.disposeAsync().catch(onFailure)
      throw error
    }
  }

  function closeUnused(kept: Kept): void {
    if (kept === current || kept.users > 0 || !all.delete(kept)) return
    kept.stack.disposeAsync().catch(onFailure)
  }

  return {
    now: () => current.generation,
    hold() {
      const kept = current
      kept.users++
      let isOver = false
      return {
        ...kept.generation,
        [Symbol.dispose]() {
          if (isOver) return
          isOver = true
          kept.users--
          closeUnused(kept)
        },
      }
    },
    replace(config) {
      const before = current
      current = keep(config)
      inForce = config
      closeUnused(before)
    },
    async [Symbol.asyncDispose]() {
      const left = [...all]
      all.clear()
      await Promise.all(left.map(({ stack }) => stack.disposeAsync()))
    },
  }
}

interface Kept {
  generation: Generation
  stack: AsyncDisposableStack
  /** Who works with it. */
  users: number
}
