import { showLine } from '../lib/text.ts'
import type { HostedProbe } from '../models/provider.ts'
import type { Provider } from '../models/provider.ts'
import { failed, failedBy, ok, skipped, warning, type Finding } from './check.ts'

/** Longest wait for a provider that is asked whether it goes to servers: for two answers. */
export const HOSTED_MS = 60_000
const MAX_SAID = 300
const LOCAL = 'write delegate: local in its jobs'

/** What a provider passes over of a hosted request: what follows from that, and what to do. */
const PASSED: Readonly<Record<HostedProbe['passed'][number], (name: string) => readonly [string, string]>> = {
  background: (name) => [
    'The provider does not say that an answer is a background one: whoever loses it cannot find it again.',
    `Set providers.${name}.background: false; an answer whose worker died then has an unknown outcome.`,
  ],
  max_tool_calls: () => [
    'The provider does not say that it keeps max_tool_calls: calls beyond limits.toolCalls may run before the answer is stopped.',
    'Name under repeatable: what may run once more, or deny the others to the account by policy.',
  ],
  metadata: (name) => [
    'The provider does not keep metadata: its own log does not say which run a request was of.',
    `Set providers.${name}.metadata: false, or use the ids of responses that nightshift show has.`,
  ],
  store: (name) => [
    'The provider keeps an answer that it was told not to keep.',
    `See the provider’s own settings for how long, or take providers.${name}.store out.`,
  ],
}

/** A model of jobs with delegate: hosted: whether its provider calls MCP servers at all, and what it passes over. Only with `spend`. */
export async function checkHosted(
  name: string,
  provider: Provider | undefined,
  model: string,
  { target, spend, signal }: { target: { server: string; url: string } | undefined; spend: boolean; signal: AbortSignal },
): Promise<Finding[]> {
  const check = `hosted ${name}/${model}`
  if (!provider?.canHost) return []
  if (!spend) return [skipped(check, 'whether the provider calls MCP servers is not checked; --spend asks it')]
  if (!target)
    return [skipped(check, 'whether the provider calls MCP servers is not checked: no account of its jobs lists a server of them')]
  try {
    const { reached, passed, refused } = await provider.probeHosted(model, target, signal)
    return [
      aboutReach(check, target, reached),
      ...passed.map((what) => warning(check, ...PASSED[what](name))),
      ...refused.map((what) => warning(check, what, 'Nothing, as long as its jobs can do without.')),
    ]
  } catch (error) {
    return [failedBy(check, error, `Check providers.${name}.baseUrl, the network, and whether the provider is well.`)]
  }
}

const said = (reached: { said: string }) => showLine(reached.said.slice(0, MAX_SAID).toWellFormed())

function aboutReach(check: string, { server, url }: { server: string; url: string }, reached: HostedProbe['reached']): Finding {
  switch (reached.kind) {
    case 'refused':
      return ok(check, `the provider goes to MCP servers itself: the gateway refused it at ${server}, without a token, as it should`)
    case 'listed':
      return warning(
        check,
        `The provider lists the tools of ${server} without a token of ours.`,
        `See that the policy of the route ${server} asks for a user.`,
      )
    case 'not-looked':
      return failed(
        check,
        'The provider takes MCP servers and does not look at them: runs would end with MODEL_IGNORED_TOOLS.',
        `Use a provider that calls MCP servers itself, or ${LOCAL}.`,
        'MODEL_IGNORED_TOOLS',
      )
    case 'not-taken':
      return failed(
        check,
        `The provider refuses a request with an MCP server: ${said(reached)}.`,
        `See mcpToken of the provider, use one that calls MCP servers itself, or ${LOCAL}.`,
      )
    case 'not-reached':
      return failed(
        check,
        `The provider does not reach ${server}: ${said(reached)}.`,
        `See that ${new URL(url).origin} can be reached from where the provider runs, or ${LOCAL}.`,
      )
  }
}
