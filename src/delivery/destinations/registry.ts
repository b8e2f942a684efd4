import type { z } from 'zod'
import type { DeliveryTarget } from '../../core/rules/delivery.ts'
import type { Secrets, Sender } from './destination.ts'
import { file } from './file.ts'
import { webhook } from './webhook.ts'

/** All destinations, by the name that a job file has under `deliver:` and a delivery's row as its `kind`. */
const DESTINATIONS = { file, webhook }

type Destinations = typeof DESTINATIONS
type One = Destinations[keyof Destinations]
type All<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer Intersection) => void ? Intersection : never
type ConfigShape = All<One['configShape']>
type DeliverShape = { [Name in keyof Destinations]: z.ZodOptional<Destinations[Name]['jobSchema']> }

const byName = new Map<string, One>(Object.entries(DESTINATIONS))

/** The keys of all destinations in the configuration file. */
export const destinationsShape: ConfigShape = Object.assign({}, ...[...byName.values()].map(({ configShape }) => configShape))
export type DestinationsConfig = { [Key in keyof ConfigShape]: z.output<ConfigShape[Key]> }

/** The keys of all destinations in an entry of `deliver:`. */
export const deliverShape: DeliverShape = Object.assign(
  {},
  ...[...byName].map(([name, { jobSchema }]) => ({ [name]: jobSchema.optional() })),
)
export type DeliverEntry = { [Name in keyof Destinations]?: unknown }

/** The destination that an entry names; undefined unless it names one alone. */
function chosen(entry: DeliverEntry): { name: string; one: One; value: unknown } | undefined {
  const [first, second] = Object.entries(entry).flatMap(([name, value]) => {
    const one = value === undefined ? undefined : byName.get(name)
    return one ? [{ name, one, value }] : []
  })
  return second ? undefined : first
}

export const namesOneDestination = (entry: DeliverEntry): boolean => chosen(entry) !== undefined
export const destinationNames = (): string => [...byName.keys()].join(' and ')

/** The destinations' keys of the configuration with the paths in them made absolute. */
export const resolveDestinationPaths = (config: DestinationsConfig, path: (value: string) => string): DestinationsConfig =>
  Object.assign({}, ...[...byName.values()].map((one) => one.resolvePaths(config, path)))

/** What is wrong with an entry in this configuration. */
export function deliverFault(entry: DeliverEntry, config: DestinationsConfig): string | undefined {
  const found = chosen(entry)
  return found?.one.fault(found.value, config)
}

/** Where the report of an entry goes, as its row keeps it. */
export function targetOf(entry: DeliverEntry): DeliveryTarget {
  const found = chosen(entry)
  if (!found) throw new Error(`an entry of deliver names one of ${destinationNames()}`)
  return { kind: found.name, ...found.one.targetOf(found.value) }
}

/** A target in a few words; its kind where this version does not know it. */
export const describeTarget = (target: DeliveryTarget): string => byName.get(target.kind)?.describe(target) ?? target.kind

/** Opens all destinations. Throws `CONFIG_INVALID` when the configuration of one cannot serve. */
export function openDestinations(config: DestinationsConfig, secrets: Secrets): Sender {
  const senders = new Map([...byName].map(([name, one]) => [name, one.open(config, secrets)]))
  return {
    async send(target, message) {
      const sender = senders.get(target.kind)
      // Another version of Nightshift wrote it, and may send it.
      return sender ? sender.send(target, message) : { ok: false, error: `there is no destination ${target.kind}`, final: false }
    },
    async close() {
      await Promise.all([...senders.values()].map((sender) => sender.close()))
    },
  }
}
