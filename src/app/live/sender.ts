import type { Sender } from '../../delivery/destinations/destination.ts'
import type { Generations } from './generations.ts'

/** Sends to where the configuration in force says; what is under way goes on to where it was sent. */
export const createLiveSender = (hold: Generations['hold']): Sender => ({
  async send(target, message) {
    using held = hold()
    return await held.destinations.send(target, message)
  },
  // They are closed with the configuration that they are of.
  close: async () => {},
})
