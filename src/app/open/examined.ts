import type { Config } from '../../config/load.ts'
import type { ExaminedParts } from '../../doctor/examine/context.ts'
import { within } from '../../lib/time/deadline.ts'
import { gatewayFetchFor, routesOf } from '../gateway.ts'
import { createRunResources, destinationsOf } from '../resources.ts'
import { mostConnections } from './connections.ts'
import { openStore } from './store.ts'

/** What a store that says nothing has to close its connections. */
const CLOSE_MS = 2000

/** What `doctor` looks at: what runs of this configuration would have, without a queue and with a store that is opened when it is asked for. */
export function openExamined(config: Config): ExaminedParts {
  const stack = new AsyncDisposableStack()
  const store = new AsyncDisposableStack()
  const resources = createRunResources(config, stack)
  return {
    mostConnections: mostConnections(config),
    resources,
    async openStore() {
      const opening = new AsyncDisposableStack()
      try {
        const { db } = await openStore(config, opening)
        store.use(opening)
        return db
      } catch (error) {
        await opening.disposeAsync()
        throw error
      }
    },
    readSecrets() {
      stack.adopt(destinationsOf(config, resources.redactor), (destinations) => destinations.close())
    },
    gatewayFetch: (db, account) => gatewayFetchFor(resources, db, account),
    routes: (db, account, signal) => routesOf(resources, db, account, signal),
    async [Symbol.asyncDispose]() {
      await within(CLOSE_MS, store.disposeAsync(), () => new Error('the store does not answer')).catch(() => {})
      await stack.disposeAsync()
    },
  }
}
