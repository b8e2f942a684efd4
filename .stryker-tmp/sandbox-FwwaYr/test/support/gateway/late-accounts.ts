// @ts-nocheck
import { createDemoAccounts, type DemoAccounts } from '../../../src/demo/gateway/accounts.ts'

/** Accounts of a gateway that is started later: what makes them must be there before it. */
export function createLateAccounts(): { accounts: DemoAccounts; standFor: (real: DemoAccounts) => void } {
  let real = createDemoAccounts()
  return {
    standFor: (given) => {
      real = given
    },
    accounts: {
      create: (about) => real.create(about),
      get: (id) => real.get(id),
      list: () => real.list(),
      delete: (id) => real.delete(id),
      verify: (jwt) => real.verify(jwt),
    },
  }
}
