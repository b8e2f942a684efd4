import { z } from 'zod'
import { TAG_NAME } from '../../core/run.ts'
import { httpUrl } from '../../lib/net/url.ts'
import { goodUntil, hostPort } from './values.ts'

const MAX_METRIC_TAGS = 8
const MAX_RUNS = 10_000_000

const role = z
  .enum(['viewer', 'runner', 'operator'])
  .describe('viewer sees; runner also queues and cancels runs; operator does everything.')
const jobNames = z
  .array(z.string())
  .min(1)
  .optional()
  .describe('Jobs that the role is for: others, and their runs, are not there for the caller. Without it, all.')
const grantSchema = z.union([role.transform((name) => ({ role: name, jobs: undefined })), z.strictObject({ role, jobs: jobNames })])

/** The HTTP API: where it listens and who may call it. */
export const apiSchema = z
  .strictObject({
    listen: hostPort(
      0,
      (port) => `127.0.0.1:${port} for this machine alone, or 0.0.0.0:${port} for all, which needs tokens or pomerium beside it`,
    )
      .default('127.0.0.1:8480')
      .describe('host:port to listen on. An address that is not loopback needs tokens or pomerium below.'),
    maxQueued: z
      .int()
      .min(1)
      .max(MAX_RUNS)
      .default(10_000)
      .describe('Most queued runs that a worker could start now; more are answered with 429 and Retry-After.'),
    maxAhead: z
      .int()
      .min(1)
      .max(MAX_RUNS)
      .default(10_000)
      .describe('The same for runs that lie ahead: they wait for a time, a pause, a limit or another run.'),
    sharePercent: z
      .int()
      .min(1)
      .max(100)
      .default(50)
      .describe(
        'Most percent of maxQueued, and of maxAhead, that the runs of one caller, or of one job, take up: nobody fills the queue for all others.',
      ),
    metricTags: z
      .array(z.string().regex(TAG_NAME, 'is no name of a tag'))
      .max(MAX_METRIC_TAGS)
      .optional()
      .describe(
        'Tags of runs that the metrics count by, by their names. Each value is a time series: name such as have few. Of each the first hundred values are told apart.',
      ),
    tokens: z
      .record(
        z.string(),
        z.strictObject({
          sha256: z
            .string()
            .regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits; nightshift api-token makes a token and its line')
            .describe('SHA-256 of the token in hex: nightshift api-token prints it.'),
          role,
          jobs: jobNames,
          expires: goodUntil
            .optional()
            .describe(
              'Until when the token is good: a date, to its end in UTC, or a time with its zone. Without it, until its line is taken out.',
            ),
        }),
      )
      .default({})
      .describe('Callers that do not come through Pomerium, by the name that their runs show as requestedBy.'),
    pomerium: z
      .strictObject({
        audience: z
          .string()
          .regex(
            /^[a-z0-9][a-z0-9._-]{0,252}$/i,
            'must be a host alone, such as nightshift.example.com, without a scheme, a port or a path',
          )
          .describe('Host of the API’s route in Pomerium, without a port.'),
        jwksUrl: httpUrl
          .optional()
          .describe(
            'Where Pomerium’s public keys are. Without it, /.well-known/pomerium/jwks.json of the audience. It is connected to as the gateway is (gateway.caFile, gateway.proxy; gateway.address where the host is that of the audience or of a route).',
          ),
        users: z.record(z.string(), grantSchema).default({}).describe('A role, or { role, jobs }, by user id or email.'),
        groups: z.record(z.string(), grantSchema).default({}).describe('The same by group.'),
      })
      .optional()
      .describe('Callers that come through Pomerium: their identity assertion is verified.'),
  })
  .superRefine(({ tokens }, context) => {
    const names = Object.keys(tokens)
    for (const [at, name] of names.entries()) {
      const twin = names.slice(0, at).find((other) => tokens[other]?.sha256 === tokens[name]?.sha256)
      if (twin !== undefined)
        context.addIssue({
          code: 'custom',
          path: ['tokens', name, 'sha256'],
          message: `is that of ${twin}; each needs a token of its own: nightshift api-token`,
        })
    }
  })
  .optional()
  .describe('The HTTP API, health and metrics. Without this section nothing listens.')

/** Where Pomerium's public keys are. */
export const keysUrlOf = ({ audience, jwksUrl }: { audience: string; jwksUrl?: string | undefined }): string =>
  jwksUrl ?? `https://${audience}/.well-known/pomerium/jwks.json`
