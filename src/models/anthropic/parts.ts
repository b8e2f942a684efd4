import { imageNotRead } from '../../core/words/results.ts'
import type { ModelSettings } from '../../core/models/settings.ts'
import { oneImage, oneSchema } from '../errors/of-one.ts'
import { fieldsIn, listIn, type Fields } from '../foreign.ts'
import { namesField, withoutKeys, type Part, type Protocol } from '../parameters.ts'
import { isThought } from './blocks.ts'
import { hasImages, messagesIn, withBlocks, withoutImages } from './body.ts'

// What a server of this protocol may not take, and what a request can do without.

const configIn = (body: object): Fields => fieldsIn(fieldsIn(body)['output_config'])

/** A field of `output_config`. */
const config = (field: string, name: string, words: RegExp): Part => ({
  name,
  isIn: (body) => field in configIn(body),
  isRefused: (named) => words.test(named),
  without: (body) => {
    const rest = withoutKeys(configIn(body), (key) => key === field)
    return Object.keys(rest).length > 0 ? { ...body, output_config: rest } : withoutKeys(body, (key) => key === 'output_config')
  },
})

const unmarked = (part: Fields): Fields => fieldsIn(withoutKeys(part, (key) => key === 'cache_control'))
const unmarkedList = (list: unknown): unknown => (Array.isArray(list) ? listIn(list).map(unmarked) : list)

const MARK: Part = {
  name: 'cache_control',
  isIn: (body) => JSON.stringify(body).includes('"cache_control":'),
  isRefused: (named) => namesField(named, 'cache_control'),
  without: (body) => {
    const { system, tools } = fieldsIn(body)
    return {
      ...withBlocks(body, (block) => [unmarked(block)]),
      ...(system !== undefined && { system: unmarkedList(system) }),
      ...(tools !== undefined && { tools: unmarkedList(tools) }),
    }
  },
}

const IMAGES: readonly Part[] = [
  oneImage(hasImages, withoutImages),
  {
    // Models of other servers may read none, or not in a result.
    name: 'images of results',
    isIn: hasImages,
    isRefused: (named) => /\bimages?\b|\bvision\b|\bmulti-?modal/i.test(named),
    without: (body) => withoutImages(body, imageNotRead),
  },
]

/** A proxy that asks one backend and then another cannot use what the first one signed. Those of the next conversation may be as they were. */
const THOUGHTS: Part = {
  name: 'thoughts of before',
  isOnce: true,
  isIn: (body) => messagesIn(body).some(({ content }) => listIn(content).some(isThought)),
  isRefused: (_, message) => /\b(?:invalid|unknown|unsupported|cannot be modified|not permitted)\b/i.test(message) && /\bsignature\b|\b(?:redacted_)?thinking.{0,20}\bblocks?\b/i.test(message),
  without: (body) => withBlocks(body, (block) => (isThought(block) ? [] : [block])),
} // prettier-ignore

/** Thoughts that were left out before are missed only while thinking is asked for. */
const MISSED = /\bexpected\b.{0,60}\bthinking\b.{0,60}\bfound\b/i
const THINKING = {
  isIn: (body: object) => 'thinking' in body,
  without: (body: object) => withoutKeys(body, (key) => key === 'thinking'),
}
const THINKINGS: readonly Part[] = [
  { ...THINKING, name: 'thinking, after thoughts that it does not take', isOnce: true, isRefused: (_, message) => MISSED.test(message) },
  {
    ...THINKING,
    name: 'thinking',
    isRefused: (named, message) =>
      namesField(named, 'thinking') && !/\bblocks?\b|\bsignature\b|\btool_choice\b|\btemperature\b/i.test(message),
  },
]

/** Answers that earlier models give are shorter than what is asked for where nobody says how long. What a job says is asked for as it is. */
const SHORTER = [8192, 4096]
const TOO_MANY = /\bmax_tokens\b.{0,20}>|\bmaximum (?:allowed )?(?:number of )?(?:output )?tokens\b/i
const isTooMany = (named: string, message: string): boolean => namesField(named, 'max_tokens') && TOO_MANY.test(message)
/** They are more than the window has beside what is read: of a conversation that is shorter they may be as many. */
const NO_ROOM = /\bcontext (?:length|window|limit|size)\b/i
const TOKENS: readonly Part[] = [
  ...SHORTER.flatMap((most): Part[] => {
    const part = {
      isIn: (body: object) => Number(fieldsIn(body)['max_tokens']) > most,
      isOf: ({ maxOutputTokens }: ModelSettings) => maxOutputTokens === undefined,
      without: (body: object) => ({ ...body, max_tokens: most }),
    }
    const name = `more than ${most} tokens of an answer`
    return [
      {
        ...part,
        name: `${name} beside what it reads`,
        isOnce: true,
        isRefused: (_, message) => namesField(message, 'max_tokens') && NO_ROOM.test(message),
      },
      { ...part, name, isRefused: isTooMany },
    ]
  }),
  {
    name: 'max_tokens',
    isIn: (body) => 'max_tokens' in body,
    isOf: ({ maxOutputTokens }) => maxOutputTokens !== undefined,
    isRefused: isTooMany,
    without: (body) => body,
    setting: 'maxOutputTokens',
  },
]

const choice = (kind: string): Part => ({
  name: `tool_choice: ${kind}`,
  isIn: (body) => fieldsIn(fieldsIn(body)['tool_choice'])['type'] === kind,
  isRefused: (named) => namesField(named, 'tool_choice'),
  without: (body) => withoutKeys(body, (key) => key === 'tool_choice'),
})

const FORMAT = config(
  'format',
  'a format of the answer',
  /\boutput_config\.format\b|\boutput_format\b|\bstructured[_ -]?outputs?\b|json[_ -]?schema\b/i,
)

/** What a request for `/v1/messages` can do without. */
export const MESSAGES: Protocol = {
  needed: new Set([
    'model',
    'messages',
    'system',
    'max_tokens',
    'tools',
    'stream',
    'mcp_servers',
    'output_config',
    'thinking',
    'tool_choice',
  ]),
  parts: [
    oneSchema(FORMAT),
    FORMAT,
    { ...config('effort', 'effort', /\beffort\b/i), setting: 'effort' },
    MARK,
    ...IMAGES,
    ...THINKINGS,
    THOUGHTS,
    ...['any', 'none', 'tool'].map(choice),
    ...TOKENS,
  ],
  setBy: { temperature: 'temperature', service_tier: 'tier' },
  beside: () => [],
  last: [],
}
