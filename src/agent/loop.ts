// The local conversation: the model asks for tool calls, we make them. A turn is written before its calls are made, a call before it is sent, so that a later attempt replays
// what is known and goes on. Everything that is sent follows from what is written, so that a replay sends the same bytes.
import { reasonsAgainst, unmetNeeds } from '../core/rules/outcome.ts'
import { unreadRests } from '../core/rules/evidence/partial.ts'
import type { PastTurn, PastUnseen } from '../core/history.ts'
import { readTurnContext } from '../core/rules/context/record.ts'
import type { Ending } from '../core/run.ts'
import { errorOf } from '../core/words/calls.ts'
import { ANSWER } from '../core/words/endings.ts'
import { ungroundedText } from '../core/words/output.ts'
import { CUT_IN_CALL, noEvidenceReply, partialReply, repairCall, repairReply, UNFINISHED_REPLY } from '../core/words/replies.ts'
import type { DelegateResult, Exchange, ParsedOutput } from '../models/model.ts'
import { createContext } from './context/context.ts'
import { takeFittingTurn, type FittingAsk } from './context/fitting.ts'
import type { Conversation } from './context/view.ts'
import { answerIn, answerTool, BUILTIN_TOOLS, readEnding } from './builtins.ts'
import { makeCalls, type Call, type CallOptions } from './calls.ts'
import { createState, type ConversationState } from './state.ts'
import {
  addNote,
  answerText,
  refusalOf,
  checkOutput,
  pastTurn,
  requireAnswer,
  requestOf,
  unfinishedIn,
  ungroundedOf,
  valueOf,
  type DelegateOptions,
  type TakenTurn,
} from './turn.ts'
import { MAX_REPAIRS } from '../core/rules/output.ts'
import { READ_RESULT, unreadReply } from '../core/words/reading.ts'
import { joinNotes, lastTurnNote, staleNote } from '../core/words/notes.ts'

export interface LocalOptions extends DelegateOptions, CallOptions {
  /** Age of results from which an attempt that goes on tells the model how old they are. */
  staleAfterMs: number
}

/** Runs the conversation to its answer. Throws a `Failure` when there is none. */
export async function runLocal(options: LocalOptions, signal: AbortSignal): Promise<DelegateResult> {
  const state = createState(options)
  const { output } = options
  const answering = output?.mode === 'tool' ? [answerTool(output.format.schema)] : []
  const tools = [...options.tools.tools, ...answering, ...(options.bare ? [] : BUILTIN_TOOLS)]
  const answers = createAnswers()
  let conversation: Conversation = { prompt: options.prompt, exchanges: [] }
  const numbers = { next: options.nextTurn }
  const context = createContext({
    window: options.window,
    maxOutputTokens: options.settings.maxOutputTokens,
    reader: options.bare ? undefined : READ_RESULT.name,
  })
  const history = options.history.filter(({ purpose }) => purpose === null)
  const summaries = options.history.filter(({ purpose }) => purpose !== null)
  /** What we said since the turn before. */
  let told: string[] = []
  const unseen = [...options.unseen]
  /** Counted where they were lost, so that a replay says the same of what is left. */
  const countUnseen = (isDue: (one: PastUnseen) => boolean) => {
    for (let one = unseen[0]; one && isDue(one); one = unseen[0]) {
      state.countUnseen(one.usage)
      unseen.shift()
    }
  }
  const countPast = (past: PastTurn): TakenTurn => {
    countUnseen(({ attempt }) => attempt < past.attempt)
    const turn = pastTurn(past)
    context.replay(readTurnContext(past.context), past.items)
    state.countTurn(turn)
    return turn
  }
  const countUnseenBy = (past: PastTurn) => countUnseen(({ attempt, turn: asked }) => attempt === past.attempt && asked <= past.number)
  for (let index = 0; ; index++) {
    const past = history[index]
    for (let one = summaries[0]; one && one.number < (past?.number ?? Infinity); one = summaries[0]) {
      countPast(one)
      countUnseenBy(one)
      summaries.shift()
    }
    countUnseen(({ attempt }) => attempt < (past?.attempt ?? Infinity))
    const before = conversation
    const noteAt = (startedAt: Date) => joinNotes([staleNoteAt(history, options.staleAfterMs, index, startedAt), state.leftNote()])
    let turn: TakenTurn
    if (past) {
      const note = noteAt(past.startedAt)
      turn = countPast(past)
      conversation = addNote(conversation, past.forcedBy ? lastTurnNote(past.forcedBy) : note)
      const asked = { tools: answers.withoutTools ? answering : tools, mayCall: past.forcedBy === null, context }
      context.counted(requestOf(options, asked, conversation), turn.usage)
      countUnseenBy(past)
    } else {
      const askNext = (): FittingAsk => {
        const due = answers.forcedBy ?? state.lastTurnReason() ?? null
        const startedAt = new Date()
        const offered = answers.withoutTools ? answering : tools
        return { conversation, tools: offered, mayCall: !due, forcedBy: due, told, note: noteAt(startedAt), startedAt }
      }
      const taken = await takeFittingTurn(options, { context, state, numbers }, askNext, signal)
      turn = taken.turn
      conversation = taken.sent
      state.countTurn(turn)
      if (turn.unseen) state.countUnseen(turn.unseen)
    }
    const next = await decideNext(options, state, answers, turn)
    answers.note(turn, next)
    switch (next.kind) {
      case 'call': {
        const made = await makeCalls(options, turn.number, next.calls, past?.calls ?? [], state, signal)
        conversation = { ...conversation, exchanges: [...conversation.exchanges, { items: turn.items, results: made.results }] }
        told = made.told
        break
      }
      case 'again':
        // The same request without tools has the same note, once.
        conversation = next.told ? { ...conversation, exchanges: [...conversation.exchanges, next.told] } : before
        told = wordsOf(next.told)
        break
      case 'end':
        return resultOf(options, state, { text: next.ending.kind === 'incomplete' ? (next.ending.draft ?? '') : '', ending: next.ending })
      case 'answer':
        return resultOf(options, state, {
          text: next.text,
          parsed: next.parsed,
          cut: turn.stopReason === 'cut',
          isLast: turn.forcedBy !== null,
        })
    }
  }
}

/** What we said in place of an answer to the model's: in a reply, or in the result of the call that gave it. */
const wordsOf = (told: Exchange | undefined): string[] =>
  told ? [...told.results.map(({ text }) => text), ...(told.reply === undefined ? [] : [told.reply])] : []

/** The note on the age of results, for the first turn of an attempt that goes on long after the one before. */
function staleNoteAt(history: readonly PastTurn[], staleAfterMs: number, index: number, startedAt: Date): string | undefined {
  const before = history[index - 1]
  if (!before || before.attempt === history[index]?.attempt) return undefined
  const passedMs = startedAt.getTime() - before.finishedAt.getTime()
  return passedMs >= staleAfterMs ? staleNote(passedMs) : undefined
}

type Next =
  | { kind: 'call'; calls: Call[] }
  /** Another turn: to repair the answer, to do or finish the work (nudge), or the same request without tools. */
  | { kind: 'again'; why: 'repair' | 'no-tools' | Nudge['kind']; told: Exchange | undefined }
  | { kind: 'end'; ending: Ending }
  | { kind: 'answer'; text: string; parsed: ParsedOutput }

type Answers = ReturnType<typeof createAnswers>

/** What was asked for again so far, and the last text of the model. */
function createAnswers() {
  let repairs = 0
  const answers = {
    lastText: '',
    /** The turn before was a repair: its answer is not repaired again. */
    repaired: false,
    /** What the model was asked to do before its answer is taken: each kind once. */
    nudged: new Set<Nudge['kind']>(),
    /** The first that was not given, or else one that was. */
    nudgeOf(nudges: readonly Nudge[]): (Nudge & { isNew: boolean }) | undefined {
      const fresh = nudges.find(({ kind }) => !answers.nudged.has(kind))
      const [one] = nudges
      return fresh ? { ...fresh, isNew: true } : one && { ...one, isNew: false }
    },
    withoutTools: false,
    /** Once a turn was the last one, its repairs are last turns too. */
    forcedBy: null as TakenTurn['forcedBy'],
    mayRepair: () => !answers.repaired && repairs < MAX_REPAIRS.local,
    note(turn: TakenTurn, next: Next) {
      answers.forcedBy = turn.forcedBy
      if (next.kind === 'call') answers.repaired = false
      if (next.kind !== 'again') return
      if (next.why === 'no-tools') answers.withoutTools = true
      else if (next.why === 'repair') {
        repairs++
        answers.repaired = true
      } else answers.nudged.add(next.why)
    },
  }
  return answers
}

/** What follows a turn. Throws when the model refused. */
async function decideNext(options: LocalOptions, state: ConversationState, answers: Answers, turn: TakenTurn): Promise<Next> {
  // Also an answer that is given by a call may have been stopped in its midst.
  const refusal = refusalOf(turn)
  if (refusal) throw refusal
  const isLast = turn.forcedBy !== null
  const cut = turn.stopReason === 'cut'
  const calls = turn.items.flatMap((item) => (item.type === 'tool_call' ? [item] : []))
  const answer = answerCall(options, calls, isLast)
  const said = answer?.text ?? answerText(turn)
  const isBlank = said.trim() === ''
  if (!isBlank) answers.lastText = said
  const ending = cut ? undefined : endingOf(options, calls, isLast)
  if (ending) return emptyLook(options, state, answers, { ending, calls, isLast, items: turn.items }) ?? { kind: 'end', ending }
  if (answer) return takeAnswer(options, state, answers, turn, answer)
  // A cut answer may end in the middle of a call: then none of its calls is made.
  if (calls.length > 0 && !cut && !isLast) return { kind: 'call', calls }
  const onlyCalls = isLast && calls.length > 0 && isBlank
  if (onlyCalls && !answers.withoutTools) return { kind: 'again', why: 'no-tools', told: undefined }
  // Calls that are not made have no results, and providers refuse a call, or its reasoning, without one: both are left out, and what would point to them.
  const items =
    calls.length > 0 ? turn.items.flatMap((item) => (item.type === 'message' ? [{ type: item.type, text: item.text }] : [])) : turn.items
  const mayRepair = answers.mayRepair() && !onlyCalls
  const parsed =
    cut && calls.length > 0 && mayRepair ? { ok: false as const, why: CUT_IN_CALL, told: CUT_IN_CALL } : checkOutput(options, said, turn)
  if (!parsed.ok && mayRepair) return { kind: 'again', why: 'repair', told: { items, results: [], reply: repairReply(parsed.told) } }
  const nudge = parsed.ok && !isLast && !options.bare ? answers.nudgeOf(nudgesFor(options, state, said)) : undefined
  if (nudge?.isNew) return { kind: 'again', why: nudge.kind, told: { items, results: [], reply: nudge.reply } }
  const ungrounded = await ungroundedOf(options, parsed, state.calls, () => state.results.kept())
  if (ungrounded.length > 0 && mayRepair && nudge?.kind !== 'no-evidence')
    return { kind: 'again', why: 'repair', told: { items, results: [], reply: repairReply(ungroundedText(ungrounded)) } }
  // Without an answer the last text of the model stands; the run is not green.
  return { kind: 'answer', text: isBlank ? answers.lastText : said, parsed }
}

/** The reply to “nothing new” of a model that has not looked, once. */
function emptyLook(
  options: LocalOptions,
  state: ConversationState,
  answers: Answers,
  { ending, calls, isLast, items }: { ending: Ending; calls: readonly Call[]; isLast: boolean; items: Exchange['items'] },
): Next | undefined {
  const unmet = unmetNeeds(options.needed, state.calls)
  if (ending.kind !== 'nothing-new' || isLast || unmet.length === 0 || answers.nudged.has('no-evidence')) return undefined
  const text = errorOf(noEvidenceReply(unmet.map(({ servers }) => servers)))
  return { kind: 'again', why: 'no-evidence', told: { items, results: calls.map(({ callId }) => ({ callId, text })) } }
}

/** An answer that was given by a call: alone, or in a last turn, in which no other call is made. */
function answerCall({ output }: LocalOptions, calls: readonly Call[], isLast: boolean): { call: Call; text: string } | undefined {
  const call = output?.mode === 'tool' ? calls.find(({ name }) => name === ANSWER.name) : undefined
  if (!output || !call || (calls.length !== 1 && !isLast)) return undefined
  return { call, text: answerIn(call.arguments, output.format.schema) }
}

async function takeAnswer(
  options: LocalOptions,
  state: ConversationState,
  answers: Answers,
  turn: TakenTurn,
  { call, text }: { call: Call; text: string },
): Promise<Next> {
  const parsed = checkOutput(options, text, turn)
  const items = turn.items.filter((item) => item.type !== 'tool_call' || item === call)
  const again = (why: 'repair' | Nudge['kind'], said: string): Next => ({
    kind: 'again',
    why,
    told: { items, results: [{ callId: call.callId, text: said }] },
  })
  if (!parsed.ok && answers.mayRepair()) return again('repair', repairCall(parsed.told))
  const nudge = parsed.ok && turn.forcedBy === null && !options.bare ? answers.nudgeOf(nudgesFor(options, state, text)) : undefined
  if (nudge?.isNew) return again(nudge.kind, errorOf(nudge.reply))
  const ungrounded = await ungroundedOf(options, parsed, state.calls, () => state.results.kept())
  if (ungrounded.length > 0 && answers.mayRepair() && nudge?.kind !== 'no-evidence')
    return again('repair', repairCall(ungroundedText(ungrounded)))
  return { kind: 'answer', text, parsed }
}

/** An ending counts when it is called alone; in a last turn, in which no other call is made, in any company. */
function endingOf({ bare }: LocalOptions, calls: readonly Call[], isLast: boolean): Ending | undefined {
  if (bare || (calls.length !== 1 && !isLast)) return undefined
  for (const call of calls) {
    const read = readEnding(call)
    if (read?.ok) return read.ending
  }
  return undefined
}

interface Nudge {
  kind: 'no-evidence' | 'unfinished' | 'partial' | 'unread'
  reply: string
}

/** The reply to an answer without a tool result, to one that asks or promises, or to one that rests on a part of a result: one that the server gave, or one that the model read. */
function nudgesFor(options: LocalOptions, state: ConversationState, text: string): Nudge[] {
  const unmet = unmetNeeds(options.needed, state.calls)
  if (unmet.length > 0) return [{ kind: 'no-evidence', reply: noEvidenceReply(unmet.map(({ servers }) => servers)) }]
  if (unfinishedIn(options, text)) return [{ kind: 'unfinished', reply: UNFINISHED_REPLY }]
  const rests = unreadRests(state.calls, options.partial)
  const unread = state.results.unread().filter(({ server }) => !options.partial.includes(server))
  return [
    ...(rests.length > 0 ? [{ kind: 'partial' as const, reply: partialReply(rests) }] : []),
    ...(unread.length > 0 ? [{ kind: 'unread' as const, reply: unreadReply(unread) }] : []),
  ]
}

type Said = { text: string; ending: Ending } | { text: string; parsed: ParsedOutput; cut: boolean; isLast: boolean }

async function resultOf(options: LocalOptions, state: ConversationState, said: Said): Promise<DelegateResult> {
  const facts = { forcedBy: state.forcedBy, passed: [], calls: state.calls, needed: options.needed, partial: options.partial }
  if ('ending' in said) {
    const reasons = reasonsAgainst({ ...facts, cut: false, misfit: undefined, ungrounded: [], unfinished: undefined, ending: said.ending })
    return { text: said.text === '' ? null : said.text, output: undefined, mended: [], reasons, ending: said.ending, ...state.spent() }
  }
  const { text, parsed, cut, isLast } = said
  // A last turn ends the run with whatever it gave. Any other run without usable text fails.
  if (!parsed.ok && !isLast) requireAnswer(text)
  const reasons = reasonsAgainst({
    ...facts,
    cut,
    misfit: parsed.ok ? undefined : parsed.why,
    ungrounded: await ungroundedOf(options, parsed, state.calls, () => state.results.kept()),
    unfinished: unfinishedIn(options, text),
    ending: undefined,
  })
  return { text: text === '' ? null : text, ...valueOf(parsed), reasons, ending: undefined, ...state.spent() }
}
