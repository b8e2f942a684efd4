// A trial as a page for people: what came of it, what the model was told, what it did, what we said to it in between. It runs no script and loads nothing.
import { html, raw } from 'hono/html'
import type { TurnItem } from '../core/run.ts'
import type { RunView } from '../core/view.ts'
import { ANSWER, INCOMPLETE, NOTHING_NEW } from '../core/words/endings.ts'
import { cutMiddle, showText, sizeText } from '../lib/text.ts'
import { PAGE_STYLE } from './page-style.ts'
import type { Trial } from './score.ts'

const MAX_RESULT_BYTES = 16_384
/** A text of more lines or characters is folded. */
const MAX_OPEN_LINES = 14
const MAX_OPEN = 1200

type Html = ReturnType<typeof html>

/** Name of the page's file. */
export const pageNameOf = ({ arm, case: name, repeat }: Pick<Trial, 'arm' | 'case' | 'repeat'>): string =>
  `${`${arm}-${name}-${repeat}`.replaceAll(/[^\w.-]+/g, '-')}.html`

/** The page. What came from outside is text in it, whatever it holds. */
export async function pageOf(trial: Trial): Promise<string> {
  const { run, arm, repeat, verdict, faults } = trial
  const attempt = run.attempts.at(-1)
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${line(trial.case)}, ${line(arm)}, run ${repeat}: ${verdict}</title>
        <style>
          ${raw(PAGE_STYLE)}
        </style>
      </head>
      <body>
        <header>
          <h1>${line(trial.case)} <span class="verdict ${verdict}">${verdict}</span></h1>
          <p>${line(arm)}, run ${repeat}</p>
        </header>
        ${faults.length === 0 ? html`<p class="faults">As expected.</p>` : list('faults', faults)} ${factsOf(run)}
        ${run.reasons.length === 0 ? '' : reasonsOf(run)}
        <h2>What it was told first</h2>
        ${section('Instructions', attempt?.instructions)} ${section('Prompt', attempt?.prompt)}
        <h2>What it did</h2>
        ${run.turns.map((turn) => turnOf(turn, run))}
        <h2>What came of it</h2>
        ${run.ending ? section('Ending', JSON.stringify(run.ending, null, 2)) : ''} ${section('Answer', run.outputText)}
        ${section('Output', run.output === null ? null : JSON.stringify(run.output, null, 2))}
        ${
          run.mended.length === 0
            ? ''
            : html`<h3>Put right</h3>
                ${list('mended', run.mended)}`
        }
      </body>
    </html> `
  return String(await page)
}

const list = (kind: string, lines: readonly string[]): Html =>
  html`<ul class="${kind}">
    ${lines.map((one) => html`<li>${line(one)}</li>`)}
  </ul>`

const count = (n: number, one: string) => `${n.toLocaleString('en')} ${n === 1 ? one : `${one}s`}`

function factsOf({ id, job, status, turns, toolCalls, usage, cost }: RunView): Html {
  const facts = [
    count(turns.length, 'turn'),
    count(toolCalls.length, 'call'),
    `${usage.estimated ? 'about ' : ''}${count(usage.inputTokens + usage.outputTokens, 'token')}`,
    cost.usd === null ? (usage.estimated ? 'cost not known' : 'no price') : `${cost.atLeast ? 'at least ' : ''}${cost.usd.toFixed(4)} USD`,
  ]
  return html`<p class="facts"><strong>${status}</strong>, ${facts.join(', ')}. Run <code>${line(id)}</code> of ${line(job)}.</p>`
}

const reasonsOf = ({ reasons }: RunView): Html =>
  html`<h3>Why it is not green</h3>
    ${list(
      'reasons',
      reasons.map(({ code, message }) => `${code}: ${message}`),
    )}`

function turnOf({ number, told, items, stopReason, notes }: RunView['turns'][number], run: RunView): Html {
  const calls = run.toolCalls.filter((call) => call.turn === number)
  const asked = items.filter(({ type }) => type === 'tool_call').length
  const said = items.flatMap((item) => wordsOf(item, calls.length))
  const made = calls.map(callOf)
  return html`<section>
    ${told === null ? '' : block('ours', 'Nightshift', told)}
    <h3>Turn ${number}${stopReason === 'end' ? '' : html` <small>(${stopReason})</small>`}</h3>
    ${notes === null ? '' : block('model', 'Model, notes', notes)} ${asked === 0 ? [...made, ...said] : [...said, ...made]}
  </section>`
}

/** Calls that have no row: those that give the answer or end the run, and all of a turn in which none is made. */
const ENDINGS = [INCOMPLETE.name, NOTHING_NEW.name, ANSWER.name]

function wordsOf(item: TurnItem, rows: number): Html[] {
  switch (item.type) {
    case 'message':
      return [block('model', 'Model', item.text)]
    case 'refusal':
      return [block('model', 'Model refuses', item.text)]
    case 'tool_call':
      return rows === 0 || ENDINGS.includes(item.name) ? [block('model', `Model calls ${line(item.name)}`, item.arguments)] : []
    case 'reasoning':
      return []
  }
}

function callOf({ server, tool, status, arguments: args, result, requestId }: RunView['toolCalls'][number]): Html {
  const name = server === '' ? tool : `${server}.${tool}`
  const id = requestId === null ? '' : html` <small>request <code>${line(requestId)}</code></small>`
  return html`<div class="call">
    <p><code>${line(name)}</code> <span class="status ${status}">${status}</span>${id}</p>
    ${text(typeof args === 'string' ? args : JSON.stringify(args, null, 2))} ${result ? text(shorten(result.text)) : ''}
  </div>`
}

const block = (kind: string, who: string, words: string): Html =>
  html`<div class="${kind}">
    <p>${who}</p>
    ${text(words)}
  </div>`

const section = (title: string, words: string | null | undefined): Html | '' =>
  words === null || words === undefined
    ? ''
    : html`<h3>${title}</h3>
        ${text(words)}`

/** A text as it stands; a long one is folded, with its first line to be seen. */
function text(words: string): Html {
  const shown = showText(words)
  const lines = shown.split('\n')
  if (lines.length <= MAX_OPEN_LINES && shown.length <= MAX_OPEN) return html`<pre>${shown}</pre>`
  return html`<details>
    <summary>
      <code>${(lines.find((one) => one.trim() !== '') ?? '').slice(0, 160)}</code> <small>${sizeText(Buffer.byteLength(shown))}</small>
    </summary>
    <pre>${shown}</pre>
  </details>`
}

/** The beginning and the end of a long result: its end often says that it is not the whole. */
function shorten(result: string): string {
  const cut = cutMiddle(result, MAX_RESULT_BYTES)
  return cut ? `${cut.head}\n[the middle of ${sizeText(cut.bytes)} is left out]\n${cut.tail}` : result
}

const line = (words: string) => showText(words).replaceAll(/\s+/g, ' ')
