import { expect, test } from 'vitest'
import { ATTACKS } from './attacks.ts'
import { play } from './play.ts'

// Here some attacks are met at a time, each by a process of its own; npm run hostile prints what one costs alone.

test.concurrent.each(ATTACKS.map((attack) => [attack.name, attack] as const))(
  '%s stops no process, and costs no neighbour a call',
  async (_, attack) => {
    const { observed, expected } = await play(attack)
    expect(observed).toMatchObject({ outcome: expected, neighbour: { bad: 0 }, canary: false })
  },
  120_000,
)
