// The tools of our own that a model is offered after those of the servers. They make no gateway request.
import type { ModelTool } from '../ports/toolbox.ts'

/** Server part of their names: no MCP server may have it. */
export const OWN_SERVER = 'nightshift'

export const INCOMPLETE_REASONS = ['missing_data', 'tool_failed', 'not_allowed', 'unclear', 'other'] as const
export const MAX_WAIT_SECONDS = 300

export const INCOMPLETE: ModelTool = {
  name: `${OWN_SERVER}__incomplete`,
  description:
    'Ends this job when it cannot be done as asked. The words are shown to the people who own the job. Call it alone, instead of an answer; never put made-up values into an answer.',
  parameters: {
    type: 'object',
    properties: {
      because: { type: 'string', enum: [...INCOMPLETE_REASONS], description: 'What kind of obstacle it is.' },
      what: { type: 'string', description: 'What could not be done, and why.' },
      tried: { type: 'string', description: 'What you tried.' },
      draft: { type: 'string', description: 'What there is of the result, if it is of use. It is kept as text.' },
    },
    required: ['because', 'what', 'tried'],
    additionalProperties: false,
  },
}

export const NOTHING_NEW: ModelTool = {
  name: `${OWN_SERVER}__nothing_new`,
  description: 'Ends this job well when you looked and there is nothing to report. Call it alone, instead of an answer.',
  parameters: {
    type: 'object',
    properties: { why: { type: 'string', description: 'What you looked at, and why there is nothing to report.' } },
    required: ['why'],
    additionalProperties: false,
  },
}

/** Its parameters are the job's schema. */
export const ANSWER = {
  name: `${OWN_SERVER}__answer`,
  description: 'Ends this job with its result. Call it alone, instead of an answer in text.',
}

export const WAIT: ModelTool = {
  name: `${OWN_SERVER}__wait`,
  description: 'Waits before you look again at something that takes time, such as an export. There is no other way to wait.',
  parameters: {
    type: 'object',
    properties: { seconds: { type: 'integer', minimum: 1, maximum: MAX_WAIT_SECONDS, description: 'How long.' } },
    required: ['seconds'],
    additionalProperties: false,
  },
}

/** Of a call of a tool of ours that it does not take. */
export const ownNotJson = (why: string): string => `Error: The arguments are not valid JSON: ${why}.`
export const ownMisfit = (why: string): string => `Error: The arguments do not fit the tool: ${why}.`

export const END_ALONE = 'Error: an ending is called alone. Read what the other calls gave, then end.'
export const waited = (seconds: number): string => `Waited ${seconds} s.`
export const WAIT_CUT = 'Error: the deadline of this run is near, so there was no time to wait. Answer with what you have.'
