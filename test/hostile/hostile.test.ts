import { expect, inject, test } from 'vitest'
import { openPlace } from './place.ts'
import { play } from './play.ts'

// Here one worker meets some attacks at a time; npm run hostile prints what each costs alone.
const AT_A_TIME = 4

test('attacks of servers, models and files stop no worker, cost no neighbour a run, and find no secret', async () => {
  await using place = await openPlace({ postgresUrl: inject('postgresUrl'), isQuick: true })
  const waiting = place.attacks.toSorted((a, b) => Number(b.isLong ?? false) - Number(a.isLong ?? false))
  const seen: unknown[] = []
  const meet = async () => {
    for (let attack = waiting.shift(); attack; attack = waiting.shift()) {
      const { observed } = await play(place, attack)
      seen.push({ name: attack.name, observed, atMostOnce: 'effects' in observed && observed.effects <= 1 })
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, meet))
  const expected = place.attacks.map(({ name, expected: outcome }) => ({
    name,
    observed: expect.objectContaining({ outcome, canaryIn: [], neighbour: expect.objectContaining({ bad: [] }) }),
    atMostOnce: true,
  }))
  expect(seen).toEqual(expect.arrayContaining(expected))
}, 300_000)
