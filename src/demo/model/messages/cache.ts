import { createHash } from 'node:crypto'
import { itemsOf, type Item, wordOf } from '../vendors/request.ts'
import { tokensIn } from '../size/tokens.ts'
import { blocksOf } from './conversation.ts'

/** What a request is counted as. */
export interface CountedMessage {
  inputTokens: number
  cachedTokens: number
  writtenTokens: number
}

/** As Anthropic publishes it: what is shorter is not kept, and so many blocks before a mark are looked at for what is. */
const LEAST_TOKENS = 1024
const LOOKED_BACK = 20

interface Part {
  isMarked: boolean
  /** Tokens up to its end. */
  tokens: number
  /** Of all up to its end. */
  digest: string
}

/** The parts of a request in the order in which a cache looks at it: tools, what the system says, and each block of the conversation. */
function partsOf(body: Item): Part[] {
  const system = body['system'] === undefined ? [] : blocksOf(body['system'])
  const messages = itemsOf(body['messages']).flatMap(({ role, content }) => blocksOf(content).map((block): Item => ({ role, ...block })))
  const hash = createHash('sha256')
  let tokens = 0
  return [...itemsOf(body['tools']), ...system, ...messages].map(({ cache_control: mark, ...part }) => {
    const json = JSON.stringify(part)
    tokens += tokensIn(json)
    hash.update(`${json}\n`)
    return { isMarked: mark !== undefined && mark !== null, tokens, digest: hash.copy().digest('hex') }
  })
}

export const tokensOf = (body: Item): number => partsOf(body).at(-1)?.tokens ?? 0

/** How many marks a request has. */
export const marksOf = (body: Item): number => partsOf(body).filter(({ isMarked }) => isMarked).length

/** Remembers what stands before the marks of requests. */
export function createMarkedCache() {
  const kept = new Set<string>()
  return {
    look(body: Item): CountedMessage {
      const parts = partsOf(body)
      const inputTokens = parts.at(-1)?.tokens ?? 0
      const key = ({ digest }: Part) => `${wordOf(body['model'])} ${digest}`
      const marks = parts.flatMap(({ isMarked, tokens }, at) => (isMarked && tokens >= LEAST_TOKENS ? [at] : []))
      const found = marks.flatMap((at) => parts.slice(Math.max(0, at - LOOKED_BACK), at + 1).filter((part) => kept.has(key(part))))
      const cachedTokens = Math.max(0, ...found.map(({ tokens }) => tokens))
      const end = parts[marks.at(-1) ?? -1]?.tokens ?? 0
      for (const at of marks) {
        const part = parts[at]
        if (part) kept.add(key(part))
      }
      return { inputTokens, cachedTokens, writtenTokens: Math.max(0, end - cachedTokens) }
    },
  }
}
