// @ts-nocheck
import { z } from 'zod'
import { httpUrl } from '../../lib/url.ts'

const role = z.enum(['viewer', 'runner', 'operator'])
const jobNames = z.array(z.string()).min(1).optional()
const grantSchema = z.union([role.transform((name) => ({ role: name, jobs: undefined })), z.strictObject({ role, jobs: jobNames })])

/** The HTTP API: where it listens and who may call it. */
export const apiSchema = z
  .strictObject({
    listen: z
      .string()
      .regex(/^(\[[0-9a-f:]+\]|[^:\s]+):\d{1,5}$/i, 'must be host:port')
      .default('127.0.0.1:8480'),
    maxQueued: z.int().min(1).default(10_000),
    tokens: z
      .record(
        z.string(),
        z.strictObject({
          sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits; nightshift api-token makes a token and its line'),
          role,
          jobs: jobNames,
        }),
      )
      .default({}),
    pomerium: z
      .strictObject({
        audience: z.string().min(1),
        jwksUrl: httpUrl.optional(),
        users: z.record(z.string(), grantSchema).default({}),
        groups: z.record(z.string(), grantSchema).default({}),
      })
      .optional(),
  })
  .optional()
