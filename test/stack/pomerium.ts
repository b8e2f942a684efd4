// Runs in the container that stands in Pomerium's place: the stand-in gateway with the routes, policies and secrets of the pomerium.yaml that is mounted there.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { startDemoConfigService } from '../../src/demo/gateway/config-service.ts'
import { startDemoGateway } from '../../src/demo/gateway/gateway.ts'
import { forward } from './forward.ts'

const criterion = z.object({ is: z.string() })
const fileSchema = z.object({
  address: z.templateLiteral([':', z.int()]),
  grpc_address: z.templateLiteral([':', z.int()]),
  shared_secret_file: z.string(),
  certificate_file: z.string(),
  certificate_key_file: z.string(),
  databroker_storage_connection_string: z.templateLiteral(['file://', z.string()]),
  routes: z.array(
    z.object({
      from: z.string(),
      to: z.string(),
      name: z.string().optional(),
      description: z.string().default(''),
      pass_identity_headers: z.boolean().default(false),
      mcp: z.object({
        server: z.object({ path: z.string(), max_request_bytes: z.int() }).optional(),
        client: z.object({}).optional(),
      }),
      policy: z.tuple([
        z.object({
          allow: z.object({ and: z.array(z.object({ user: criterion })) }),
          deny: z.object({ and: z.tuple([z.object({ mcp_tool: criterion })]) }).optional(),
        }),
      ]),
    }),
  ),
})

const [, , , file = '/pomerium/config.yaml'] = process.argv
const config = fileSchema.parse(parse(readFileSync(file, 'utf8')))
const portOf = (address: string) => Number(address.slice(1))
const text = (path: string) => readFileSync(path, 'utf8')

const gateway = await startDemoGateway({
  tls: { cert: text(config.certificate_file), key: text(config.certificate_key_file) },
  logFile: '/dev/stdout',
  accountsFile: `${config.databroker_storage_connection_string.slice('file://'.length)}/accounts.json`,
  routes: config.routes.map(({ from, to, name, description, mcp, policy: [policy], pass_identity_headers }) => ({
    name: name ?? new URL(from).host,
    description,
    from,
    to,
    kind: mcp.server ? ('mcp-server' as const) : ('mcp-client' as const),
    ...(mcp.server && { path: mcp.server.path, maxRequestBytes: mcp.server.max_request_bytes }),
    passIdentityHeaders: pass_identity_headers,
    policy: {
      allowUsers: policy.allow.and.map(({ user }) => user.is),
      ...(policy.deny && { denyTool: policy.deny.and[0].mcp_tool.is }),
    },
  })),
})
const service = await startDemoConfigService({
  accounts: gateway.accounts,
  sharedSecret: Buffer.from(text(config.shared_secret_file), 'base64'),
})
forward(portOf(config.address), gateway.port)
forward(portOf(config.grpc_address), Number(new URL(service.url).port))
process.once('SIGTERM', () => {
  process.stdout.write('{"message":"the stand-in ends"}\n', () => process.exit(0))
})
