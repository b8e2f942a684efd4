// Which settings of a model the API of its provider has. What one model takes of them is known to the provider alone: it says so when it is asked.
import { EFFORTS, TIERS, VERBOSITIES, type Api, type ModelSettings } from '../../models/settings.ts'

interface Takes {
  effort: readonly string[]
  verbosity: readonly string[]
  tier: readonly string[]
  maxTemperature: number
}

const OPENAI: Takes = { effort: EFFORTS, verbosity: VERBOSITIES, tier: TIERS, maxTemperature: 2 }

const TAKES: Readonly<Record<Api, Takes>> = {
  responses: OPENAI,
  chat: OPENAI,
  anthropic: { effort: ['none', 'low', 'medium', 'high', 'xhigh', 'max'], verbosity: [], tier: ['default', 'priority'], maxTemperature: 1 },
}

/** A setting that an API does not have. */
export interface SettingFault {
  field: keyof ModelSettings
  message: string
}

/** What of the settings the API does not have. */
export function settingFaults(api: Api, settings: ModelSettings): SettingFault[] {
  const takes = TAKES[api]
  const faults: SettingFault[] = []
  for (const field of ['effort', 'verbosity', 'tier'] as const) {
    const value = settings[field]
    if (value === undefined || takes[field].includes(value)) continue
    const cure = takes[field].length === 0 ? 'take it out' : `write ${takes[field].join(', ')}, or take it out`
    faults.push({ field, message: `is ${value}, which api: ${api} does not have; ${cure}` })
  }
  const { temperature } = settings
  if (temperature !== undefined && temperature > takes.maxTemperature)
    faults.push({ field: 'temperature', message: `is ${temperature}, and api: ${api} takes ${takes.maxTemperature} at most` })
  return faults
}

/** The settings as far as the API has them: for a model of `fallback`, which the job does not set by itself. */
export function settingsFor(api: Api, settings: ModelSettings): ModelSettings {
  const faults = settingFaults(api, settings).map(({ field }): string => field)
  return Object.fromEntries(Object.entries(settings).filter(([field]) => !faults.includes(field)))
}
