import { expect, test } from 'vitest'
import { APIS, type Api, type ModelSettings } from '../../../../src/core/models/settings.ts'
import { settingFaults, settingsFor } from '../../../../src/core/rules/models/settings.ts'

const rows: [settings: ModelSettings, refusedBy: Api[]][] = [
  [{}, []],
  [{ effort: 'low', maxOutputTokens: 4000, temperature: 1, tier: 'default' }, []],
  [{ effort: 'none' }, []],
  [{ effort: 'minimal' }, ['anthropic']],
  [{ effort: 'xhigh' }, []],
  [{ temperature: 1.5 }, ['anthropic']],
  [{ verbosity: 'low' }, ['anthropic']],
  [{ tier: 'flex' }, ['anthropic']],
  [{ tier: 'priority' }, []],
]

test.each(rows)('%o is refused by %o', (settings, refusing) => {
  expect(APIS.filter((api) => settingFaults(api, settings).length > 0)).toEqual(refusing)
  // What an API does not have is left out of what its models are asked with.
  for (const api of APIS) {
    expect(settingFaults(api, settingsFor(api, settings))).toEqual([])
    expect(settingsFor(api, settings)).toEqual(refusing.includes(api) ? {} : settings)
  }
})

test('a fault names what the API has', () => {
  expect(settingFaults('anthropic', { effort: 'minimal', temperature: 1.5, tier: 'flex', verbosity: 'low' })).toEqual([
    {
      field: 'effort',
      message: 'is minimal, which api: anthropic does not have; write none, low, medium, high, xhigh, max, or take it out',
    },
    { field: 'verbosity', message: 'is low, which api: anthropic does not have; take it out' },
    { field: 'tier', message: 'is flex, which api: anthropic does not have; write default, priority, or take it out' },
    { field: 'temperature', message: 'is 1.5, and api: anthropic takes 1 at most' },
  ])
})
