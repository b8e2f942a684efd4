import { parseDigits } from '../../../lib/json/parse.ts'
import { argumentsIn, fieldsIn, idIn, type Fields } from '../../foreign.ts'
import { MAX_ITEMS } from '../../raw/keep.ts'
import { addPiece } from '../../raw/merge.ts'

interface Building {
  fields: Record<string, unknown>
  name: string
  /** The text so far, or the object that came in place of one. */
  arguments: string
  given: unknown
}

/** Most times that arguments are parsed to see whether a call is whole, and the longest ones: a stream is read in linear time. */
const MAX_LOOKS = 1000
const MAX_LOOKED = 10_000

/** Puts the calls of a streamed message together. Servers leave `index` or `id` out, or give the same ones to several calls. */
export function createCallPieces() {
  const calls: Building[] = []
  const byIndex = new Map<number, Building>()
  let last: Building | undefined
  let looks = 0

  const isWhole = (text: string): boolean => {
    if (text.length > MAX_LOOKED || looks >= MAX_LOOKS || !text.trimEnd().endsWith('}')) return false
    looks++
    try {
      return parseDigits(text) !== undefined
    } catch {
      return false
    }
  }

  /** Whether a piece with the place of a call begins another one. */
  function isAnother(call: Building, id: string | undefined, name: string, args: unknown): boolean {
    const known = idIn(call.fields['id'])
    if (id !== undefined && known !== undefined && id !== known) return name !== ''
    if (name === '' || call.name === '') return false
    if (call.given !== undefined) return true
    if (call.arguments === '') return name !== call.name
    const begins = typeof args !== 'string' || args.trimStart().startsWith('{')
    return begins && isWhole(call.arguments)
  }

  function add(piece: Fields): void {
    const { index, function: called, ...more } = piece
    const { name, arguments: args, ...rest } = fieldsIn(called)
    const id = idIn(piece['id'])
    const named = typeof name === 'string' ? name : ''
    // Without an index, an id begins a call, and what has none goes on with the last one.
    const slot = typeof index === 'number' ? byIndex.get(index) : last
    const begins = slot === undefined || isAnother(slot, id, named, args) || (typeof index !== 'number' && isNewId(slot, id))
    if (begins && calls.length > MAX_ITEMS) return
    const call = begins ? { fields: {}, name: '', arguments: '', given: undefined } : slot
    if (begins) calls.push(call)
    if (typeof index === 'number') byIndex.set(index, call)
    last = call
    addPiece(call.fields, Object.keys(rest).length > 0 ? { ...more, function: rest } : more)
    if (call.name === '') call.name = named
    if (typeof args === 'string') call.arguments += args
    else if (args !== null && args !== undefined) call.given = args
  }

  const isNewId = (call: Building, id: string | undefined) => id !== undefined && id !== idIn(call.fields['id'])

  return {
    add,
    /** The calls as a whole answer has them. */
    whole: (): Fields[] =>
      calls.map(({ fields, name, arguments: text, given }) => ({
        ...fields,
        function: {
          ...fieldsIn(fields['function']),
          name,
          arguments: given !== undefined && text === '' ? given : text + argumentsIn(given),
        },
      })),
  }
}
