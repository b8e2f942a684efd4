import type Anthropic from '@anthropic-ai/sdk'
import type { HostedRequest, HostedTarget } from '../../hosted.ts'
import { serverLabel } from '../../hosted/server-label.ts'
import { answerTokens, CACHED, labelFields, settingFields, systemOf } from '../request.ts'

export type HostedBody = Anthropic.Beta.Messages.MessageCreateParamsStreaming

/** The body of a request in which the provider calls the servers. */
export function hostedBody(
  { instructions, prompt, output, servers, settings, labels }: HostedRequest,
  about: { model: string; labels: boolean; maxTokens: number | undefined },
): HostedBody {
  const connectors = servers.map(connectorOf)
  return {
    model: about.model,
    max_tokens: answerTokens(settings, about.maxTokens),
    ...systemOf(instructions),
    messages: [{ role: 'user', content: [{ type: 'text', text: prompt, ...CACHED }] }],
    mcp_servers: connectors.map(({ server }) => server),
    tools: connectors.map(({ toolset }) => toolset),
    ...settingFields(settings, output),
    ...labelFields(labels, about.labels),
    stream: true,
  }
}

/** A server as the connector takes it, with the tools that it may call and no other. */
export const connectorOf = ({ name, url, tools, headers }: HostedTarget) => ({
  server: {
    type: 'url' as const,
    name: serverLabel(name),
    url,
    authorization_token: (headers['authorization'] ?? '').replace(/^Bearer /, ''),
  },
  toolset: {
    type: 'mcp_toolset' as const,
    mcp_server_name: serverLabel(name),
    default_config: { enabled: false },
    configs: Object.fromEntries(tools.map((tool) => [tool, { enabled: true }])),
  },
})
