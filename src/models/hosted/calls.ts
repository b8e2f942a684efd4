import { parseKept, tryParse } from '../../lib/json/parse.ts'
import type { EndedCall, HostedCall } from '../hosted.ts'
import { argumentsIn, idIn, textIn, type Fields } from '../foreign.ts'
import type { NamedTool } from './tool-names.ts'
import { outcomeOf } from './outcomes.ts'

/** Most characters of a server's label and of a tool's name that are kept. */
const MAX_NAME = 256
/** Most characters of arguments that are put together from parts. */
const MAX_PARTS = 1_048_576

/** Most calls that are looked at for one that says the same. */
const MAX_ALIKE = 1000
/** Most calls of an answer of which it is kept that there were arguments alone. */
const MAX_SPOKEN = 1000

/** A call of the answer, with what its events said of it so far. */
interface Followed {
  call: HostedCall
  itemId: string | undefined
  place: number | undefined
  isAdded: boolean
  isAnnounced: boolean
  isEnded: boolean
  /** Parts of its arguments that came; undefined once they were looked at as a whole. */
  parts: string | undefined
}

/** Places above are none: each call has a number of 32 bits as its own. */
const MAX_PLACE = 2 ** 30

/** Where an event or an item stands: providers leave out either, and some name one call by several ids. */
interface At {
  itemId: string | undefined
  place: number | undefined
}

/** Some servers say of an event neither. */
const isNowhere = ({ itemId, place }: At) => itemId === undefined && place === undefined

/** What an event says of where it stands. */
export interface Spoken {
  itemId: unknown
  place: unknown
}

export interface SpokenCall {
  call: HostedCall
  /** It was announced, runs or ran. */
  isAnnounced: boolean
}

const placeOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < MAX_PLACE ? value : undefined

const isJson = (text: string): boolean => tryParse(text, parseKept) !== undefined

const nameIn = (value: unknown): string => (textIn(value) ?? '').slice(0, MAX_NAME).toWellFormed()

/** What an item says of its call. */
interface Said extends NamedTool {
  args: string
}

const isSameTool = ({ call }: Followed, { server, tool }: Said) =>
  (call.tool === '' || tool === '' || call.tool === tool) && (call.server === '' || server === '' || call.server === server)

const isSameCall = (one: Followed, item: Said) =>
  isSameTool(one, item) && (one.call.arguments === undefined || item.args === '' || one.call.arguments === item.args)

/**
 * Follows the calls of one reading of an answer, so that each is one call whichever events speak of it, in whichever order. A call is known by the id of its item, else by
 * its place, else by what it says; an event of a call that was never added makes one. What cannot be told apart counts as two: a call that ran has a row.
 * The same events give the same ids each time that they are read.
 */
export function createCallTracker(namesOf: (label: string, tool: string) => NamedTool) {
  /** How often each id was given, and all of them. */
  const given = new Map<string, number>()
  const ids = new Set<string>()
  const positions = new Set<number>()
  const byItem = new Map<string, Followed>()
  const byPlace = new Map<number, Followed>()
  const open = new Set<Followed>()
  /** Those that the whole answer did not name yet. */
  const unnamed = new Set<Followed>()
  /** Two items stood at one place: places of this provider mean nothing. */
  let placesCollide = false
  let lastPosition = -1

  function begin({ itemId, place }: At): Followed {
    const base = itemId ?? `place ${place ?? ids.size}`
    let nth = (given.get(base) ?? 0) + 1
    while (nth > 1 && ids.has(`${base} (${nth})`)) nth++
    given.set(base, nth)
    const id = nth === 1 && !ids.has(base) ? base : `${base} (${nth})`
    ids.add(id)
    const position = place !== undefined && !positions.has(place) ? place : lastPosition + 1
    positions.add(position)
    lastPosition = Math.max(lastPosition, position)
    const one: Followed = {
      call: { id, server: '', tool: '', arguments: undefined, position },
      itemId,
      place,
      isAdded: false,
      isAnnounced: false,
      isEnded: false,
      parts: '',
    }
    if (itemId !== undefined) byItem.set(itemId, one)
    if (place !== undefined) {
      placesCollide ||= byPlace.has(place)
      byPlace.set(place, one)
    }
    open.add(one)
    unnamed.add(one)
    return one
  }

  /** The call of an event, by its item's id and then by its place. */
  function find({ itemId, place }: At): Followed | undefined {
    const there = place === undefined ? undefined : byPlace.get(place)
    if (isNowhere({ itemId, place })) return open.size === 1 ? [...open][0] : undefined
    if (itemId === undefined) return there
    if (there?.itemId === itemId) return there
    return byItem.get(itemId) ?? (placesCollide ? undefined : there)
  }

  /** What an item says of its call, by our names; empty is what it leaves out. */
  const said = (item: Fields) => ({
    ...namesOf(nameIn(item['server_label']), nameIn(item['name'])),
    args: argumentsIn(item['arguments']),
  })

  /** What an item leaves out stays as it was. */
  function learn(one: Followed, { server, tool, args }: Said): void {
    if (server !== '') one.call.server = server
    if (tool !== '') one.call.tool = tool
    if (args !== '') one.call.arguments = args
  }

  /** The first of these calls that says the same as an item whose id and place nobody heard of. */
  function alike(among: Set<Followed>, item: Said): Followed | undefined {
    let looked = 0
    for (const one of among) {
      if (one.call.tool !== '' && isSameCall(one, item)) return one
      if (++looked === MAX_ALIKE) return undefined
    }
    return undefined
  }

  const told = ({ call }: Followed): HostedCall => ({ ...call })

  const spoken = (one: Followed): SpokenCall => ({ call: told(one), isAnnounced: one.isAnnounced })

  const end = (one: Followed, item: Fields, itsWords: Said): EndedCall => {
    learn(one, itsWords)
    one.isEnded = true
    one.isAnnounced = true
    open.delete(one)
    return { ...told(one), outcome: outcomeOf(item) }
  }

  return {
    /** An item that the provider announced. */
    added(item: Fields, outputIndex: unknown): HostedCall {
      const at = { itemId: idIn(item['id']), place: placeOf(outputIndex) }
      const known = find(at)
      const isHere = known?.itemId === at.itemId && known?.place === at.place
      // An item may be announced late, and said again; one that was over by then is another one.
      const isAgain = known !== undefined && (known.isAdded ? isHere && !known.isEnded : isHere || !known.isEnded)
      const one = isAgain ? known : begin(at)
      one.isAdded = true
      one.isAnnounced = true
      learn(one, said(item))
      return told(one)
    },

    /** Arguments of a call, a part or all of them: some servers send them before they announce the call, and then may not make it. */
    arguments(event: Spoken & { part: unknown; whole: unknown }): SpokenCall | undefined {
      const at = { itemId: idIn(event.itemId), place: placeOf(event.place) }
      const one = find(at) ?? (ids.size < MAX_SPOKEN ? begin(at) : undefined)
      if (!one) return undefined
      if (typeof event.part === 'string' && one.parts !== undefined && one.parts.length < MAX_PARTS) one.parts += event.part
      if (event.whole !== undefined) one.call.arguments ??= argumentsIn(event.whole)
      return spoken(one)
    },

    /** The call runs, or ended with a result that is to come. */
    state(event: Spoken): SpokenCall | undefined {
      const at = { itemId: idIn(event.itemId), place: placeOf(event.place) }
      const one = find(at) ?? (isNowhere(at) && ids.size > 0 ? undefined : begin(at))
      if (!one) return undefined
      one.isAnnounced = true
      // The parts that came before are all of its arguments.
      if (one.parts) {
        if (isJson(one.parts)) one.call.arguments ??= one.parts
        one.parts = undefined
      }
      return spoken(one)
    },

    /** An item that the provider says is over. */
    done(item: Fields, outputIndex: unknown): EndedCall {
      const at = { itemId: idIn(item['id']), place: placeOf(outputIndex) }
      const found = find(at)
      const isElsewhere = found?.place !== undefined && at.place !== undefined && found.place !== at.place
      const words = said(item)
      const isAnother = found && (!isSameTool(found, words) || (found.isEnded && (isElsewhere || !isSameCall(found, words))))
      return end((isAnother ? undefined : found) ?? alike(open, words) ?? begin(at), item, words)
    },

    /** An item of the whole answer, at its place there. */
    inAnswer(item: Fields, place: number): EndedCall {
      const at = { itemId: idIn(item['id']), place }
      const found = find(at)
      const words = said(item)
      const isIt = found !== undefined && unnamed.has(found) && isSameTool(found, words)
      const one = (isIt ? found : undefined) ?? alike(unnamed, words) ?? begin(at)
      unnamed.delete(one)
      return end(one, item, words)
    },
  }
}
