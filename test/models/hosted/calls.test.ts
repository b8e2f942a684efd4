import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCallTracker } from '../../../src/models/hosted/calls.ts'

const item = (more: object = {}) => ({ type: 'mcp_call', id: 'a', server_label: 's', name: 'act', arguments: '{"n":1}', ...more })
const tracker = () => createCallTracker((label, tool) => ({ server: label === '' ? '' : `server ${label}`, tool }))

describe('a call', () => {
  test('keeps what was said of it when a later item leaves it out', () => {
    const calls = tracker()
    calls.added(item(), 1)
    expect(calls.done({ type: 'mcp_call', id: 'a', output: 'done' }, 1)).toEqual({
      id: 'a',
      server: 'server s',
      tool: 'act',
      arguments: '{"n":1}',
      position: 1,
      outcome: { kind: 'ok', text: 'done' },
    })
  })

  test('has the arguments that came in parts once an event says that it runs, and never halves of them', () => {
    const calls = tracker()
    calls.added(item({ arguments: '' }), 1)
    const at = { itemId: 'a', place: 1 }
    expect(calls.arguments({ ...at, part: '{"n":', whole: undefined })?.call.arguments).toBeUndefined()
    expect(calls.arguments({ ...at, part: '2}', whole: undefined })?.call.arguments).toBeUndefined()
    expect(calls.state(at)?.call.arguments).toBe('{"n":2}')
    const halves = tracker()
    halves.added(item({ arguments: '' }), 1)
    halves.arguments({ ...at, part: '{"n":', whole: undefined })
    expect(halves.state(at)?.call.arguments).toBeUndefined()
  })

  test('that was never announced is said to be none, until an event says that it runs', () => {
    const calls = tracker()
    const at = { itemId: 'a', place: 1 }
    expect(calls.arguments({ ...at, part: undefined, whole: '{}' })).toMatchObject({ isAnnounced: false })
    expect(calls.state(at)).toMatchObject({ isAnnounced: true, call: { arguments: '{}' } })
  })

  test('with the id of one that is over is another one, unless it says the same at the same place', () => {
    const calls = tracker()
    expect(calls.done(item(), 1).id).toBe('a')
    expect(calls.done(item(), 1).id).toBe('a')
    expect(calls.done(item(), 2).id).toBe('a (2)')
    expect(calls.done(item({ arguments: '{"n":2}' }), 2).id).toBe('a (3)')
    expect(calls.done(item({ id: 'a (4)' }), 5).id).toBe('a (4)')
    expect(calls.added(item(), 6).id).toBe('a (5)')
  })

  test('of the whole answer is found by id, by place and by what it says, each once', () => {
    const calls = tracker()
    calls.done(item({ id: 'x' }), 1)
    calls.done(item({ id: 'y', arguments: '{"n":2}' }), undefined)
    expect(calls.inAnswer(item({ id: 'other' }), 1).id).toBe('x')
    expect(calls.inAnswer(item({ id: 'one more', arguments: '{"n":2}' }), 7).id).toBe('y')
    expect(calls.inAnswer(item({ id: 'y', arguments: '{"n":2}' }), 8).id).toBe('y (2)')
  })

  test('has a place of its own, whatever the provider says of places', () => {
    const places = fc.array(fc.oneof(fc.integer(), fc.constant(0), fc.constant(2 ** 30 - 1), fc.constant('1'), fc.constant(undefined)))
    fc.assert(
      fc.property(places, (given) => {
        const calls = tracker()
        const positions = given.map((place, n) => calls.added(item({ id: `id ${n}` }), place).position)
        expect(new Set(positions).size).toBe(positions.length)
        expect(positions.every((one) => Number.isInteger(one) && one >= 0 && one < 2 ** 31)).toBe(true)
      }),
    )
  })
})

test('the same events give the same ids when they are read again', () => {
  const value = fc.record(
    {
      kind: fc.constantFrom('added', 'done', 'arguments', 'state'),
      id: fc.constantFrom('a', 'b', undefined),
      place: fc.constantFrom(0, 1, 2, undefined),
      n: fc.nat(2),
    },
    { requiredKeys: ['kind', 'id', 'place', 'n'] },
  )
  fc.assert(
    fc.property(fc.array(value), (events) => {
      const read = () => {
        const calls = tracker()
        return events.map(({ kind, id, place, n }) => {
          const one = item({ id, arguments: `{"n":${n}}` })
          if (kind === 'added') return calls.added(one, place).id
          if (kind === 'done') return calls.done(one, place).id
          return kind === 'state'
            ? calls.state({ itemId: id, place })?.call.id
            : calls.arguments({ itemId: id, place, part: 'x', whole: undefined })?.call.id
        })
      }
      expect(read()).toEqual(read())
    }),
  )
})
