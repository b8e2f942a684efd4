import { isDeepStrictEqual } from 'node:util'
import pLimit, { type LimitFunction } from 'p-limit'
import type { Dispatcher } from 'undici'
import { createRedactor, type Redactor } from '../../lib/redact.ts'
import type { Provider } from '../../models/provider.ts'
import type { MinterClient } from '../../pomerium/minter-client.ts'

/** Gives the part with these settings, which is opened once. It is closed with the last stack that has it. */
type Shelf<Part> = (stack: AsyncDisposableStack, settings: unknown, open: () => Part) => Part

/** What the configurations of a process have in common, one after the other: a connection whose settings are as before is kept. */
export interface Parts {
  /** A secret stays known when it is in force no more: runs, results and the log may still have it. */
  redactor: Redactor
  /** The slots of a server, of which there are so many from now on, also for calls that wait for one. */
  slots(server: string, concurrency: number): LimitFunction
  dispatchers: Shelf<Dispatcher>
  providers: Shelf<Provider>
  minters: Shelf<MinterClient>
}

export function createParts(): Parts {
  const slots = new Map<string, LimitFunction>()
  return {
    redactor: createRedactor(),
    slots(server, concurrency) {
      const limit = slots.get(server) ?? pLimit(concurrency)
      limit.concurrency = concurrency
      slots.set(server, limit)
      return limit
    },
    dispatchers: createShelf((dispatcher) => dispatcher.destroy()),
    providers: createShelf((provider) => provider.close()),
    minters: createShelf((minter) => minter.close()),
  }
}

function createShelf<Part>(close: (part: Part) => Promise<void>): Shelf<Part> {
  const open: { settings: unknown; part: Part; users: number }[] = []
  return (stack, settings, make) => {
    let found = open.find((one) => isDeepStrictEqual(one.settings, settings))
    if (!found) {
      found = { settings, part: make(), users: 0 }
      open.push(found)
    }
    const shared = found
    shared.users++
    stack.defer(async () => {
      if (--shared.users > 0) return
      open.splice(open.indexOf(shared), 1)
      await close(shared.part)
    })
    return shared.part
  }
}
