/**
 * What the scripted model says, a step a turn. Tests and the demo share this language:
 *
 *     call labor__query {"sql": "select 1"} & everything__echo {"message": "hi"}
 *     say {"summary": "done"}                   the answer; $1, $2 … are the results so far
 *     fail 500                                  once; the next try goes on with the next step
 *     fail 429 insufficient_quota
 *     fail 429 rate_limit retry-after=2
 *     no-room flex                              that tier has no room, once
 *     cut                                       the stream breaks off, once
 *     silent                                    the stream ends without its last event, once
 *     refuse I will not do that
 *     truncate {"summary":                      stopped at the output limit
 *     filter                                    stopped by the content filter
 *     garbage                                   an answer that is not JSON, once
 *     error-event insufficient_quota            the stream says that, once
 *     failed-event context_length_exceeded      the answer ends as failed with that code, once
 *     aside Let me look.                        said before the next step, as a message of its own
 *     note Let me look.                         the same, marked as no part of the answer
 *     wait 200                                  before the next step
 *     always fail 500                           a fault that does not go away
 *
 * For a model that calls the servers itself, where all steps up to the answer are one turn:
 *
 *     ignore labor                              the server is not even looked at
 *     approve labor__query                      asks for approval and ends
 *     errors-as-text                            errors of calls are texts, not objects
 *     pause                                     the answer takes a break, and goes on when it is sent back (/v1/messages)
 */
export type Step =
  | { kind: 'call'; calls: ScriptedCall[]; notes?: Note[] }
  | { kind: 'say'; text: string | ((results: string[]) => string); notes?: Note[] }
  | { kind: 'refuse' | 'truncate'; text: string }
  | { kind: 'filter' }
  | { kind: 'wait'; ms: number }
  | { kind: 'ignore'; server: string }
  | { kind: 'approve'; name: string }
  | { kind: 'errors-as-text' | 'pause' }
  /** With a tier: of requests for that tier alone. */
  | { kind: 'fault'; fault: Fault; always: boolean; tier?: string }

/** What is said before a step, in a message of its own; `isMarked`: as no part of the answer. */
export interface Note {
  text: string
  isMarked: boolean
}

export interface ScriptedCall {
  /** The model's name of the tool. */
  name: string
  /** JSON text; may be nonsense on purpose. `$1` … are the results so far, as JSON strings. */
  arguments: string | ((results: string[]) => string)
}

export type Fault =
  | { kind: 'status'; status: number; code: string | undefined; retryAfter: number | undefined }
  | { kind: 'no-room' }
  | { kind: 'cut' }
  | { kind: 'silent' }
  | { kind: 'garbage' }
  | { kind: 'error-event' | 'failed-event'; code: string }

/** Reads a script. Throws on a line that it does not know, with its number. */
export function script(text: string): Step[] {
  let notes: Note[] = []
  return text
    .split('\n')
    .map((line) => line.trim())
    .flatMap((line, index) => {
      if (line === '' || line.startsWith('#')) return []
      const note = /^(note|aside) (.+)/.exec(line)
      if (note) {
        notes.push({ text: note[2] ?? '', isMarked: note[1] === 'note' })
        return []
      }
      const step = parseLine(line, index + 1)
      if (notes.length === 0 || (step.kind !== 'call' && step.kind !== 'say')) return [step]
      const before = notes
      notes = []
      return [{ ...step, notes: before }]
    })
}

function parseLine(line: string, number: number): Step {
  const always = line.startsWith('always ')
  const [verb = '', ...rest] = (always ? line.slice(7) : line).split(' ')
  const text = rest.join(' ')
  switch (verb) {
    case 'call':
      return { kind: 'call', calls: text.split(/ & (?=[\w-]+ ?)/).map(parseCall) }
    case 'say':
    case 'refuse':
    case 'truncate':
      return { kind: verb, text }
    case 'filter':
      return { kind: 'filter' }
    case 'wait':
      return { kind: 'wait', ms: Number(text) }
    case 'ignore':
      return { kind: 'ignore', server: text }
    case 'approve':
      return { kind: 'approve', name: text }
    case 'errors-as-text':
    case 'pause':
      return { kind: verb }
    case 'fail': {
      const [status, ...about] = rest
      const retryAfter = about.find((word) => word.startsWith('retry-after='))?.slice(12)
      const code = about.find((word) => !word.includes('='))
      return {
        kind: 'fault',
        always,
        fault: { kind: 'status', status: Number(status), code, retryAfter: retryAfter === undefined ? undefined : Number(retryAfter) },
      }
    }
    case 'no-room':
      return { kind: 'fault', always, tier: text, fault: { kind: 'no-room' } }
    case 'cut':
    case 'silent':
    case 'garbage':
      return { kind: 'fault', always, fault: { kind: verb } }
    case 'error-event':
    case 'failed-event':
      return { kind: 'fault', always, fault: { kind: verb, code: text } }
    default:
      throw new Error(`script line ${number}: unknown verb ${verb}`)
  }
}

function parseCall(text: string): ScriptedCall {
  const [name = '', ...rest] = text.split(' ')
  return { name, arguments: rest.join(' ') || '{}' }
}

/** Puts results in for `$1` …; `json` writes them as JSON strings, for arguments. */
export function fill(text: string, results: readonly string[], json = false): string {
  return text.replaceAll(/\$(\d+)/g, (_, n: string) => {
    const result = results[Number(n) - 1] ?? ''
    return json ? JSON.stringify(result) : result
  })
}
