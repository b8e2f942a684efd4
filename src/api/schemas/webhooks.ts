import { z, type RouteConfig } from '@hono/zod-openapi'
import { checkpointSchema } from '../../audit/evidence/chain.ts'
import { time } from './common.ts'
import { runSchema } from './runs.ts'

/** A CloudEvent of a type, in its JSON format. */
const eventOf = <Type extends string, Data extends z.ZodType>(type: Type, subject: string, data: Data) =>
  z.object({
    specversion: z.literal('1.0'),
    id: z.string().describe('The same whenever it is sent again.'),
    source: z.string(),
    type: z.literal(type),
    subject: z.string().describe(subject),
    time,
    datacontenttype: z.literal('application/json'),
    data,
  })

const reportSchema = eventOf(
  'nightshift.run.finished',
  'The id of the run.',
  runSchema.pick({
    id: true,
    job: true,
    jobVersion: true,
    status: true,
    reasons: true,
    failure: true,
    trigger: true,
    tags: true,
    output: true,
    outputText: true,
    ending: true,
    usage: true,
    cost: true,
    models: true,
    createdAt: true,
    finishedAt: true,
  }),
).openapi('Report')

/** A line of Pomerium's log, its texts cut at 200 characters. */
const lineSchema = z.object({
  id: z.string(),
  time,
  requestId: z.string(),
  accountId: z.string(),
  account: z.string().nullable(),
  method: z.string(),
  host: z.string(),
  path: z.string(),
  ip: z.string(),
  mcpMethod: z.string().nullable(),
  mcpTool: z.string().nullable(),
  runHeader: z.string().nullable(),
  allowed: z.boolean(),
  alerted: z.boolean(),
})

const unexplainedSchema = eventOf(
  'nightshift.audit.unexplained',
  'The account.',
  z.object({
    account: z.string().nullable(),
    accountId: z.string(),
    count: z.int().describe('Of all lines.'),
    events: z.array(lineSchema).describe('The first twenty.'),
  }),
).openapi('UnexplainedAlarm')

const silentSchema = eventOf(
  'nightshift.audit.silent',
  'log',
  z.object({ requests: z.int().describe('That have no line.'), since: time.describe('Of the first of them.') }),
).openapi('SilenceAlarm')

const unreportedSchema = eventOf(
  'nightshift.audit.unreported',
  'The id of the run.',
  z.object({ run: z.string(), job: z.string(), lines: z.int(), calls: z.int().describe('Lines that are calls of tools.') }),
).openapi('UnreportedAlarm')

const checkpointEventSchema = eventOf(
  'nightshift.evidence.checkpoint',
  'The number of the checkpoint.',
  checkpointSchema.describe('The checkpoint, signed: keep it where Nightshift cannot write (docs/verify-evidence.md).'),
).openapi('CheckpointTold')

const tags = ['webhooks']
const headers = z.object({
  'webhook-id': z.string().describe('The same whenever the message is sent again: delivery is at least once.'),
  'webhook-timestamp': z.string().describe('Seconds since 1970, of this try.'),
  'webhook-signature': z.string().describe('v1, and the signature in base64; several with a space between them.'),
})
const responses = {
  '2XX': { description: 'Taken.' },
  '410': { description: 'Not wanted any more: this message is not sent again.' },
  '4XX': { description: 'Not taken: it is sent again, at growing intervals.' },
}

const posted = (name: string, summary: string, description: string, schema: z.ZodType): RouteConfig => ({
  method: 'post',
  path: name,
  operationId: name,
  summary,
  description,
  tags,
  security: [],
  request: { headers, body: { required: true, content: { 'application/cloudevents+json': { schema } } } },
  responses,
})

/** What is posted to the receivers of the configuration: reports of jobs, and what `alerts:` sends. */
export const WEBHOOKS: readonly RouteConfig[] = [
  posted('runFinished', 'A run is over', 'The report of a job with deliver: [{ webhook: … }].', reportSchema),
  posted(
    'unexplainedRequests',
    'An account made requests that Nightshift did not make',
    'Its token may be in other hands. To the webhook of alerts:.',
    unexplainedSchema,
  ),
  posted(
    'logSilent',
    'Requests of Nightshift have no line in Pomerium’s log',
    'While nobody reads it, a stolen token raises no alarm. To the webhook of alerts:.',
    silentSchema,
  ),
  posted(
    'runNoLongerGreen',
    'A run that was green is not any more',
    'Pomerium’s log has requests of it that its provider did not report. To the webhook of alerts:.',
    unreportedSchema,
  ),
  posted('checkpointSigned', 'A checkpoint of the evidence was signed', 'Once a day. To the webhook of alerts:.', checkpointEventSchema),
]
