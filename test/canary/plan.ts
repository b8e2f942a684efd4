import type { ServerResponse } from 'node:http'
import type { Exchange } from '../support/wire/world.ts'
import { placesIn, planted } from '../support/wire/places.ts'
import { ESCAPED, ID, ROWS, URL_OF, type Row, type Sent } from '../support/wire/rows.ts'
import type { Canaries } from './canaries.ts'

/** One answer with secrets in it. */
export interface Plan {
  row: Row
  /** Where, in words. */
  where: string
  sent: Sent
  /** What the text is that was planted. */
  what: string
  /** A secret as escapes of JSON in JSON. */
  escaped: string
}

/** What decides how an answer is read: a text there makes another answer of it, so that it hides what is planted elsewhere. Each of these gets runs of its own. */
const DECIDES =
  /(?:^|\.)(?:jsonrpc|id|method|type|role|object|status|name|server_label|call_id|item_id|index|output_index|content_index|finish_reason|protocolVersion|isError|tools|resources|content|inputSchema.*|outputSchema.*|url|code|output|refusal|arguments|audience\..*|data|blob|retry|event|retry-after|retry-after-ms|x-should-retry|mimeType|error|incomplete_details|reason|request_id)$/

/** Rows in which the id of the request is kept, each in another way. */
const IDS = new Set([
  'headers of tools/call',
  'initialize refused with 401 by the gateway',
  'tools/call refused with 400 by the upstream',
  'a denial',
  'the list of routes with 401',
  'turn 1 of chat-whole',
  'turn 1 of responses-streamed',
  'chat-whole refused with 400',
  'hosted refused with 400',
])

const sentOf = ({ headers, event, messages }: Row): Sent => ({ headers, event, messages })
/** Headers and fields of an event have names of their own, and a body is one message. */
const isOfAnswer = ({ events }: Row, place: string) => !/^(?:headers\.|event\.|)\+$/.test(place) && (events || place !== 'messages.+')

// oxlint-disable-next-line no-unsafe-type-assertion -- texts became other texts
const plantedIn = (row: Row, places: readonly string[], text: string) => planted(sentOf(row), new Set(places), text) as Sent

/** Of the messages of a stream, each kind has places of its own; others are met once. */
const alike = (place: string) => (/\.(?:type|method)$/.test(place) ? place : place.replaceAll(/\.\d+(?=\.|$)/g, '.*'))

const isNew = (known: Set<string>, key: string) => !known.has(key) && known.add(key).size > 0

/** Every row with secrets wherever they change nothing, and with them at each place that decides something. */
export function makePlans({ each }: Canaries): Plan[] {
  const all = Object.values(each).join(' ')
  // What is kept of ids has a length.
  const short = Object.entries(each).filter(([, text]) => text.length < 100)
  const escaped = (each['its signature'] ?? '').replaceAll(/./g, (char) => `\\\\u00${char.charCodeAt(0).toString(16)}`)
  const known = new Set<string>()
  return ROWS.flatMap((row, n) => {
    const places = placesIn(sentOf(row)).filter((place) => isOfAnswer(row, place))
    const soft = places.filter((place) => !DECIDES.test(place) || place.endsWith('+'))
    const [what = '', text = ''] = short[n % short.length] ?? []
    const plan = (where: string, at: readonly string[], name: string, plantedText: string): Plan => ({ row, where, escaped, what: name, sent: plantedIn(row, at, plantedText) }) // prettier-ignore
    return [
      plan('everywhere', soft, 'all', all),
      plan('everywhere', soft, what, text),
      ...places
        .filter((place) => row.deep && !soft.includes(place) && isNew(known, `${row.job} ${row.of} ${alike(place)}`))
        .map((place) => plan(place, [place], 'all', all)),
      // An id is one word.
      ...(IDS.has(row.name) ? short.map(([name, one]) => plan('the id', ['headers.x-request-id'], name, one)) : []),
    ]
  })
}

/** Sends an answer as the row says. */
export function send(res: ServerResponse, { row, sent, escaped }: Plan, exchange: Exchange): void {
  for (const [name, value] of Object.entries(sent.headers)) if (value !== '') res.setHeader(name, String(value))
  if (row.marked) res.setHeader('x-envoy-upstream-service-time', '1')
  const texts = sent.messages.map((message) =>
    JSON.stringify(message)
      .replace(`"${ID}"`, () => JSON.stringify(exchange.id))
      .replace(URL_OF, exchange.url)
      .replace(ESCAPED, escaped),
  )
  res.writeHead(row.status, { 'content-type': row.events ? 'text/event-stream' : 'application/json' })
  if (!row.events) return void res.end(texts.join(''))
  const fields = Object.entries(sent.event).map(([name, value]) => `${name}: ${String(value)}\n`).join('') // prettier-ignore
  const last = texts.pop() ?? ''
  res.end(`${texts.map((text) => `data: ${text}\n\n`).join('')}${fields}data: ${last}\n\n${row.last}`)
}
