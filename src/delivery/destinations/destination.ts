// Where reports can go. A destination is one file here (what the configuration says of it, what a job says, and how it sends) and one line in registry.ts.
// The folder is a leaf by itself, below delivery: job files and the configuration read their formats from it, so that a new destination touches neither.
import type { z } from 'zod'
import type { CloudEvent } from '../../core/cloud-event.ts'
import type { DeliveryTarget } from '../../core/rules/delivery.ts'
import type { RunView } from '../../core/view.ts'

/** What is sent. */
export interface Message {
  /** The same in each try: receivers deduplicate by it. */
  id: string
  event: CloudEvent
  /** The run that is over, when it is a report; undefined for an alarm. */
  run: RunView | undefined
}

/** The outcome of a try. `final`: no later try can succeed. `silent`: no answer within the time of a try. `refused`: an answer that
 * says that it is the message, or who sends it. `away`: nobody was there to take any message. */
export type SendResult = { ok: true } | { ok: false; error: string; final: boolean; silent?: boolean; refused?: boolean; away?: boolean }

/** An open destination. Both are bounded in time by the destination itself. */
export interface Sender {
  /** What it throws counts as a try that failed. */
  send(target: DeliveryTarget, message: Message): Promise<SendResult>
  close(): Promise<void>
}

/** What a destination is given to read its secrets. */
export interface Secrets {
  /** The text itself or what stands in the file; `what` is named when it cannot be read. */
  read(what: string, value: string | undefined, file: string | undefined): string | undefined
  /** Adds the text to the secrets that are redacted everywhere. */
  redact: (secret: string) => void
}

export interface DestinationOptions<Value extends z.ZodType, Shape extends z.ZodRawShape, Target extends z.ZodType<object>> {
  /** What stands under the destination's name in `deliver:` of a job file. It must not transform. */
  jobSchema: Value
  /** Its keys of the configuration file. */
  configShape: Shape
  /** These keys with the paths in them made absolute. */
  resolvePaths(config: Config<Shape>, path: (value: string) => string): Config<Shape>
  /** What a delivery's row keeps beside the destination's name. */
  targetSchema: Target
  targetOf(value: z.output<Value>): z.output<Target>
  /** A target in a few words, for people. */
  describe(target: z.output<Target>): string
  /** What is wrong with a job's value in this configuration. */
  fault(value: z.output<Value>, config: Config<Shape>): string | undefined
  /** Throws `CONFIG_INVALID` when the configuration cannot serve. */
  open(
    config: Config<Shape>,
    secrets: Secrets,
  ): { send(target: z.output<Target>, message: Message): Promise<SendResult>; close(): Promise<void> }
}

type Config<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>

/** Makes a destination of its parts. What comes from a job file or from a row is checked again, so that its parts need not know where it was. */
export function defineDestination<Value extends z.ZodType, Shape extends z.ZodRawShape, Target extends z.ZodType<object>>(
  options: DestinationOptions<Value, Shape, Target>,
) {
  const { jobSchema, configShape, targetSchema } = options
  return {
    jobSchema,
    configShape,
    resolvePaths: (config: Config<Shape>, path: (value: string) => string): Config<Shape> => options.resolvePaths(config, path),
    targetOf: (value: unknown): object => options.targetOf(jobSchema.parse(value)),
    describe: (target: DeliveryTarget): string => options.describe(targetSchema.parse(target)),
    fault: (value: unknown, config: Config<Shape>): string | undefined => options.fault(jobSchema.parse(value), config),
    open(config: Config<Shape>, secrets: Secrets): Sender {
      const sender = options.open(config, secrets)
      return { send: (target, message) => sender.send(targetSchema.parse(target), message), close: () => sender.close() }
    },
  }
}
