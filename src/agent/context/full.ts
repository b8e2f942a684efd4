import { Failure } from '../../core/failure.ts'
import { fullText } from '../../core/words/window/aside.ts'
import type { ModelRequest } from '../../models/model.ts'
import { exchangeSize } from './size.ts'

/** Most parts that are named. */
const MAX_PARTS = 4

interface Figures {
  request: ModelRequest
  /** About how many it has. */
  tokens: number
  window: number | undefined
}

/** The failure of a conversation that does not fit, with its figures and the cure of what is largest in it. */
export function contextFull(failure: Failure, { request, tokens, window }: Figures): Failure {
  const { prompt, instructions = '', tools, exchanges } = request
  const size = (value: string) => Buffer.byteLength(value)
  const said = exchanges.reduce((sum, one) => sum + exchangeSize(one), 0)
  const begun = [
    { what: 'the prompt', bytes: size(prompt) },
    { what: 'the instructions', bytes: size(instructions) },
    { what: `${tools.length} tools`, bytes: size(JSON.stringify(tools)) },
  ]
  const results = exchanges.flatMap((one) => one.results.map(({ id, text }) => ({ what: `result ${id ?? ''}`, bytes: size(text) })))
  const [largest] = results.toSorted((a, b) => b.bytes - a.bytes)
  const rest = { what: 'what was said and read', bytes: said }
  const parts = [...begun, rest, ...(largest ? [{ ...largest, what: `${largest.what} of that` }] : [])]
  const isBegun = begun.reduce((sum, { bytes }) => sum + bytes, 0) > said
  return new Failure({
    code: 'CONTEXT_FULL',
    message: `${failure.message} ${fullText({ tokens, window, parts: parts.toSorted((a, b) => b.bytes - a.bytes).slice(0, MAX_PARTS) })}`,
    cure: isBegun
      ? 'Shorten what is largest of these: the prompt with its context, the instructions, or the tools (tools.<server>.allow); or name a model with a larger window.'
      : 'Let tools give less at a time: ask for less in the prompt, or lower limits.resultBytes; or name a model with a larger window.',
    requestId: failure.requestId,
    cause: failure.cause,
  })
}
