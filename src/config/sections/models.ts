import { z } from 'zod'
import { CATALOGUE_KINDS, kindOfProvider } from '../../core/models/catalogue-kinds.ts'
import { APIS } from '../../core/models/settings.ts'
import { duration } from '../../lib/duration.ts'
import { MIN_SECRET_LENGTH } from '../../lib/redact.ts'
import { httpUrl } from '../../lib/net/url.ts'
import { MAX_TOKENS, MAX_USD } from '../../core/rules/spending/limits.ts'
import { caSetting, proxySetting } from '../../lib/net/way/setting.ts'
import { MAX_BYTES } from './values.ts'

/** A shorter one would have to be taken out of words, or be left in what is kept. */
const SHORT_KEY = `has fewer than ${MIN_SECRET_LENGTH} characters, and cannot be told from words; give the server a longer key, or take it out where none is wanted`

/**
 * `formatWithTools`: an answer's format may be asked for while tools may still be called. OpenAI's own service does both; a server that constrains its
 * decoding to the format never calls a tool then.
 */
const providerSchema = z
  .strictObject({
    api: z
      .enum(APIS, {
        error:
          'must be responses (OpenAI’s Responses API), chat (chat completions, which most other servers have) or anthropic (Anthropic’s Messages API)',
      })
      .default('responses')
      .describe('responses (/v1/responses), chat (/v1/chat/completions), which most other servers speak, or anthropic (/v1/messages).'),
    baseUrl: httpUrl.optional().describe('Address of a server of your own. Without it, OpenAI’s, or with api: anthropic Anthropic’s.'),
    apiVersion: z
      .string()
      .regex(/^[\w.-]{1,32}$/, 'must be a version such as 2024-10-21, or preview')
      .optional()
      .describe(
        'For Azure: the query parameter api-version of each request, with the key as the header api-key. Its endpoint /openai/v1 wants none.',
      ),
    apiKey: z
      .string()
      .refine((key) => key === '' || key.length >= MIN_SECRET_LENGTH, SHORT_KEY)
      .optional()
      .describe('The key itself, from a variable: ${OPENAI_API_KEY}; at least eight characters. A server of your own may want none.'),
    apiKeyFile: z.string().optional().describe('File with the key, instead of apiKey; read for each request.'),
    stream: z
      .boolean()
      .default(true)
      .describe('Stream the answers. Needed where something on the way cuts connections that are silent for long.'),
    catalogue: z
      .enum([...CATALOGUE_KINDS, 'none'])
      .optional()
      .describe(
        'Whose models the provider has: prices and windows are those of the catalogue (nightshift models). Without it, by the address; none for a server of your own.',
      ),
    store: z
      .boolean()
      .optional()
      .describe(
        'Ask the provider to keep answers, or not to. Without it, the provider’s own default. With false, a model’s thoughts are asked for encrypted, and go back to it that way.',
      ),
    metadata: z
      .boolean()
      .optional()
      .describe(
        'Tell the provider with each request which run, job and attempt it is of (metadata; with api: chat only where store is true), and a digest of the account (safety_identifier; with api: anthropic that alone, as metadata.user_id). Without it, OpenAI’s and Anthropic’s own addresses alone are told.',
      ),
    cacheKey: z
      .boolean()
      .optional()
      .describe(
        'Tell the provider with each request which others begin alike (prompt_cache_key: a digest of the job and its version), so that it finds what it has of them in its cache. Without it, OpenAI’s own address alone is told.',
      ),
    background: z
      .boolean()
      .default(false)
      .describe(
        'For delegate: hosted. The provider finishes an answer without us, so that another worker finds it after a crash. Without it, an answer whose worker died has an unknown outcome.',
      ),
    mcpToken: z
      .enum(['headers', 'authorization'])
      .default('headers')
      .describe(
        'For delegate: hosted. Where the provider takes the account’s token for a server: among the headers of the mcp tool, or as its field authorization, which some servers want and OpenAI takes too.',
      ),
    runHeader: z
      .boolean()
      .default(true)
      .describe(
        'For delegate: hosted. The provider sends the run’s id as the header X-Nightshift-Run-Id to each server. Without it, as a server wants that keeps its connections by their headers, the account of a hosted job has to be perRun: nothing else tells its requests from those of others.',
      ),
    answerTimeout: duration('1s').prefault('10m').describe('Longest wait for an answer to begin, and longest silence within one.'),
    maxResponseBytes: z
      .int()
      .min(65_536)
      .max(MAX_BYTES)
      .default(67_108_864)
      .describe(
        'Largest answer that is read, unpacked and with all that a stream sends around it; beyond it the run fails with RESULT_TOO_LARGE.',
      ),
    proxy: proxySetting('to this provider'),
    caFile: caSetting('for this provider'),
    formatWithTools: z
      .boolean()
      .optional()
      .describe(
        'Ask for the format of the answer while tools may still be called. Many servers then never call one; true for OpenAI’s and Anthropic’s own addresses alone.',
      ),
  })
  .refine((provider) => provider.apiKey === undefined || provider.apiKeyFile === undefined, 'has both apiKey and apiKeyFile; keep one')
  .superRefine((provider, issues) => {
    if (provider.api === 'anthropic')
      for (const [key, fault] of notOfAnthropic(provider)) issues.addIssue({ code: 'custom', path: [key], message: fault })
  })
  .transform((provider) => {
    // Whoever made the API keeps to all of it.
    const kind = kindOfProvider(provider.api, provider.baseUrl)
    const isOwn = kind === (provider.api === 'anthropic' ? 'anthropic' : 'openai')
    return {
      ...provider,
      formatWithTools: provider.formatWithTools ?? isOwn,
      metadata: provider.metadata ?? isOwn,
      catalogue: provider.catalogue ?? kind ?? ('none' as const),
    }
  })

interface Hosting {
  apiVersion?: string | undefined
  store?: boolean | undefined
  cacheKey?: boolean | undefined
  background: boolean
  mcpToken: 'headers' | 'authorization'
}

/** Settings that the Messages API has no field for, with what to do. */
function notOfAnthropic({ apiVersion, store, cacheKey, background, mcpToken }: Hosting): [key: keyof Hosting, fault: string][] {
  const faults: [key: keyof Hosting, fault: string | false][] = [
    ['apiVersion', apiVersion !== undefined && 'is for Azure’s endpoints of api: responses and chat. Take it out'],
    ['store', store !== undefined && 'is for api: responses and chat; with api: anthropic nothing is asked to be kept. Take it out'],
    [
      'cacheKey',
      cacheKey === true && 'is for api: responses and chat; api: anthropic marks what is to be kept in each request. Take it out',
    ],
    ['background', background && 'is for api: responses; api: anthropic has no background mode. Take it out'],
    ['mcpToken', mcpToken !== 'headers' && 'is for api: responses; api: anthropic has one place for the token. Take it out'],
  ]
  return faults.flatMap(([key, fault]) => (fault === false ? [] : [[key, fault]]))
}

/** Model providers by the name that jobs use. */
export const providersSchema = z.record(z.string(), providerSchema).describe('Model providers by the name that jobs use.')

const rate = z.number().min(0).max(MAX_USD)

const rates = {
  input: rate.describe('USD for a million input tokens.'),
  cachedInput: rate.describe('USD for a million input tokens that the provider had in its cache.'),
  cacheWrite: rate
    .optional()
    .describe('USD for a million input tokens that the provider writes into its cache. Without it, they cost what other input does.'),
  output: rate.describe('USD for a million output tokens.'),
}

/** USD for a million tokens, by model. */
export const pricesSchema = z
  .record(
    z.string(),
    z.strictObject({
      ...rates,
      tiers: z
        .record(z.string(), z.strictObject(rates))
        .optional()
        .describe(
          'Prices in other service tiers, by the name that the provider has for the tier. Without it, flex costs half, and at Groq as much as default; what priority costs is not known.',
        ),
    }),
  )
  .default({})
  .describe(
    'Prices by model, or by provider/model. They go before those of the catalogue (nightshift models). A job with limits.costUsd needs a price of each of its models.',
  )

/** What models read and write, by model. */
export const modelsSchema = z
  .record(
    z.string(),
    z.strictObject({
      windowTokens: z
        .int()
        .min(512)
        .max(1_000_000_000)
        .optional()
        .describe('Most tokens that the model reads and writes together: its context window.'),
      maxOutputTokens: z.int().min(16).max(1_000_000_000).optional().describe('Most tokens of one answer.'),
      readsImages: z.boolean().optional().describe('The model reads images.'),
    }),
  )
  .default({})
  .describe(
    'What models read and write, by model, or by provider/model. It goes before the catalogue, which knows the models of OpenAI’s own address and the like.',
  )

const ceiling = z
  .strictObject({
    tokens: z.int().min(1).max(MAX_TOKENS).optional().describe('Most tokens in a day.'),
    costUsd: z.number().positive().max(MAX_USD).optional().describe('Most money in a day, in USD.'),
  })
  .refine(({ tokens, costUsd }) => tokens !== undefined || costUsd !== undefined, 'is empty; give tokens, costUsd or both')

/** The most that all runs of an account or of a job may spend in a day (UTC). */
export const budgetsSchema = z
  .strictObject({
    accounts: z.record(z.string(), ceiling).default({}).describe('By account.'),
    jobs: z.record(z.string(), ceiling).default({}).describe('By job.'),
  })
  .prefault({})
  .describe('The most that all runs of an account, or of a job, may spend in a day (UTC), over all workers.')
