import { z } from 'zod'
import { duration } from '../../lib/duration.ts'
import { httpUrl } from '../../lib/net/url.ts'
import { proxySetting } from '../../lib/net/way/setting.ts'
import { concurrency, hostPort, MAX_BYTES } from './values.ts'

/** Where Pomerium is, and what its responses may weigh. `setupTimeout` is in milliseconds, as every duration of a configuration that was read. */
export const gatewaySchema = z
  .strictObject({
    url: httpUrl.describe('Any address that Pomerium serves MCP routes on; the route list is read from it.'),
    address: hostPort(1)
      .optional()
      .describe('host:port to connect to, whatever a route’s host resolves to. Host header and TLS name stay the route’s.'),
    routeHosts: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Hosts of MCP routes outside of the domain of url, such as mcp.example.org or *.example.org. A route of any other host is not used: the token would go there.',
      ),
    caFile: z
      .string()
      .optional()
      .describe('PEM file of the CA that signed Pomerium’s certificate, trusted beside the public ones; read for each connection.'),
    connections: concurrency.default(128).describe('Most connections to each route’s host at once; a request beyond it waits for one.'),
    proxy: proxySetting('to Pomerium, and for the keys of its assertions'),
    maxResponseBytes: z
      .int()
      .min(1024)
      .max(MAX_BYTES)
      .default(16_777_216)
      .describe('Largest answer that is read; beyond it the call is RESULT_TOO_LARGE.'),
    setupTimeout: duration('1s')
      .prefault('60s')
      .describe(
        'Longest wait for the route list, for initialize and for each page of a tool list. Tool calls have limits.call of their job.',
      ),
  })
  .describe('Pomerium.')

/** MCP servers by the name of their route. `maxRequestBytes` is the route's own `max_request_bytes`. */
export const serversSchema = z
  .record(
    z.string(),
    z.strictObject({
      maxRequestBytes: z
        .int()
        .min(256)
        .max(MAX_BYTES)
        .default(4096)
        .describe('The route’s max_request_bytes. A larger request is not sent: Pomerium would not see the tool in it.'),
      concurrency: concurrency.optional().describe('Most tool calls at a time to this server, in each worker process.'),
    }),
  )
  .default({})
  .describe('What is special about an MCP server, by the name of its route.')
