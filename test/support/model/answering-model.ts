import { json } from 'node:stream/consumers'
import { z } from 'zod'
import { SUMMARY_ASK } from '../../../src/core/words/window/aside.ts'
import { createMeter, type Counted } from '../../../src/demo/model/size/meter.ts'
import { serveHttp } from '../net/listen.ts'

const itemSchema = z.looseObject({ type: z.string().optional(), role: z.string().optional(), call_id: z.string().optional() })
const requestSchema = z.looseObject({
  model: z.string(),
  input: z.array(itemSchema),
  tools: z.array(z.looseObject({ name: z.string() })).optional(),
  tool_choice: z.unknown().optional(),
  text: z.unknown().optional(),
})

export type Asked = z.output<typeof requestSchema>

/** What the model says in a turn. */
export interface Said {
  text?: string
  refusal?: string
  calls?: [name: string, args: string][]
  reasoning?: boolean
  stop?: 'cut' | 'filtered'
  tokens?: number
}

export interface AnsweringModel extends AsyncDisposable {
  url: string
  /** Bodies of all requests that it took. */
  asked: Asked[]
  /** Bodies of those that it refused as too long. */
  refused: Asked[]
  /** What it counted of each that it took. */
  counted: Counted[]
}

interface AnsweringOptions {
  /** The window that it keeps, in tokens of four characters; it then counts what it is asked, and what of that it has seen before. */
  window?: number | undefined
  /** What it says that it counted, by what it did. */
  says?: ((tokens: number) => number) | undefined
  /** It says in figures what does not fit. */
  figures?: boolean | undefined
  /** What it says when it is asked for notes. */
  notes?: string | undefined
  /** As vLLM does: a format that is asked for while tools are free holds the model to it, so that it calls none and says this. */
  formatFirst?: string | undefined
}

/**
 * A provider that says one thing a turn, whatever it is asked. As the real one, it refuses a conversation with calls that were never answered, and
 * reasoning without what followed from it.
 */
export async function startAnsweringModel(
  said: readonly Said[],
  { formatFirst, window, notes, figures = true, says = (tokens) => tokens }: AnsweringOptions = {},
): Promise<AnsweringModel> {
  const asked: Asked[] = []
  const refused: Asked[] = []
  const counted: Counted[] = []
  const meter = createMeter(window === undefined ? {} : { answering: window })
  let turns = 0
  const http = await serveHttp(async (req, res) => {
    const send = (status: number, body: unknown) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    const body = await json(req)
    const request = requestSchema.parse(body)
    const tooLong = meter.refuse(figures ? 'chat' : 'responses', request)
    if (tooLong) {
      refused.push(request)
      send(tooLong.status, tooLong.body)
      return
    }
    asked.push(request)
    const isForNotes = notes !== undefined && JSON.stringify(request.input.at(-1)).includes(SUMMARY_ASK)
    const turn = isForNotes ? { text: notes } : said[turns++]
    const count = meter.count(request)
    counted.push(count)
    const fault = faultOf(request) ?? (turn ? undefined : 'The model was asked once more than expected.')
    const isHeld = formatFirst !== undefined && request.text !== undefined && request.tool_choice !== 'none'
    if (fault === undefined && isHeld) send(200, answerOf(asked.length, request.model, { text: formatFirst }))
    else if (fault === undefined && turn)
      send(
        200,
        answerOf(asked.length, request.model, turn, window === undefined ? undefined : { ...count, inputTokens: says(count.inputTokens) }),
      )
    else send(400, { error: { message: fault, type: 'invalid_request_error', param: 'input', code: null } })
  })
  return {
    url: `${http.url}/v1`,
    asked,
    refused,
    counted,
    [Symbol.asyncDispose]: http.close,
  }
}

function faultOf({ input }: Asked): string | undefined {
  const ids = (type: string) => input.flatMap((item) => (item.type === type ? [item.call_id] : []))
  const answered = new Set(ids('function_call_output'))
  const unanswered = ids('function_call').find((id) => !answered.has(id))
  if (unanswered !== undefined) return `No tool output found for function call ${unanswered}.`
  const follows = (index: number) => {
    const next = input[index + 1]
    return next?.role === 'assistant' || next?.type === 'function_call' || next?.type === 'reasoning'
  }
  const alone = input.some((item, index) => item.type === 'reasoning' && !follows(index))
  return alone ? 'A reasoning item was provided without its required following item.' : undefined
}

function answerOf(number: number, model: string, { text, refusal, calls = [], reasoning, stop, tokens = 10 }: Said, counted?: Counted) {
  const output: object[] = []
  if (reasoning) output.push({ type: 'reasoning', id: `rs_${number}`, summary: [] })
  if (refusal !== undefined) output.push({ type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal }] })
  if (text !== undefined)
    output.push({ type: 'message', id: `msg_${number}`, role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] })
  for (const [index, [name, args]] of calls.entries())
    output.push({ type: 'function_call', id: `fc_${number}_${index}`, call_id: `call_${number}_${index}`, name, arguments: args })
  return {
    id: `resp_${number}`,
    object: 'response',
    model,
    status: stop ? 'incomplete' : 'completed',
    incomplete_details: stop ? { reason: stop === 'cut' ? 'max_output_tokens' : 'content_filter' } : null,
    output,
    usage: counted
      ? { input_tokens: counted.inputTokens, input_tokens_details: { cached_tokens: counted.cachedTokens }, output_tokens: 1 }
      : { input_tokens: tokens - 1, output_tokens: 1 },
  }
}
