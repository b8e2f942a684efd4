import { suggest } from '../../lib/near.ts'
import type { JobDefinition } from '../schema.ts'
import { checkTemplate, type TemplateFault, type TemplateOffer } from '../template/check.ts'
import { optionalFault, scheduledFault } from '../template/trial.ts'
import type { Fault } from './fault.ts'

/** A template of a job, and where it stands. */
interface Text {
  path: readonly string[]
  template: string
}

/** What is wrong with the texts of a job, with the resources and prompts that it wants read, and with what those are told. */
export function textFaults(definition: JobDefinition): Fault[] {
  const offer = templateOffer(definition)
  return [
    ...(['prompt', 'instructions'] as const).flatMap((field) =>
      definition[field] !== undefined && definition[field].trim() === ''
        ? [{ path: [field], message: `is empty; write what the model is to do${field === 'instructions' ? ', or take it out' : ''}` }]
        : [],
    ),
    ...faultsIn(definition, (template) => checkTemplate(template, offer)),
    ...contextFaults(definition),
  ]
}

/** Texts, each right by itself, of which all runs of the schedule would fail. */
export const scheduledFaults = (name: string, definition: JobDefinition): Fault[] =>
  faultsIn(definition, (template) => scheduledFault(template, name, definition))

/** Texts that need what an input may leave out. */
export const optionalFaults = (name: string, definition: JobDefinition): Fault[] =>
  faultsIn(definition, (template) => optionalFault(template, name, definition))

function faultsIn(definition: JobDefinition, faultOf: (template: string) => TemplateFault | undefined): Fault[] {
  return textsOf(definition).flatMap(({ path, template }) => {
    const fault = faultOf(template)
    return fault ? [{ path, message: fault.message, textLine: fault.line }] : []
  })
}

const textsOf = ({ prompt, instructions, context }: JobDefinition): Text[] => [
  { path: ['prompt'], template: prompt },
  ...(instructions === undefined ? [] : [{ path: ['instructions'], template: instructions }]),
  ...context.flatMap(({ arguments: args = {} }, at) =>
    Object.entries(args).map(([name, template]) => ({ path: ['context', String(at), 'arguments', name], template })),
  ),
]

function contextFaults({ tools, context }: JobDefinition): Fault[] {
  const servers = Object.keys(tools)
  return context.flatMap(({ file, server }, at): Fault[] => {
    const path = ['context', String(at)]
    if (file !== undefined) return []
    if (server === undefined) return servers.length > 1 ? [{ path, message: `needs server: one of ${servers.join(', ')}` }] : []
    if (servers.includes(server)) return []
    return [{ path: [...path, 'server'], message: `is ${server}, which is not under tools:; ${suggest(server, servers)}` }]
  })
}

/** What the templates of a job may name. */
function templateOffer({ schedule, input }: JobDefinition): TemplateOffer {
  return { previousFire: schedule !== undefined, period: schedule?.period !== undefined, inputs: inputNames(input) }
}

/** Keywords by which a schema may allow fields that are not under its properties. */
const OPEN = ['$ref', '$dynamicRef', 'allOf', 'anyOf', 'oneOf', 'if', 'patternProperties', 'dependentSchemas']

/** The fields of an input; undefined when it may have others. */
function inputNames(schema: JobDefinition['input']): string[] | undefined {
  if (!schema) return []
  const { properties } = schema
  if (typeof properties !== 'object' || properties === null || OPEN.some((keyword) => keyword in schema)) return undefined
  return Object.keys(properties)
}
