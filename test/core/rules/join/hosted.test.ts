import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../../../src/lib/hash/digest.ts'
import { matchHosted, type HostedContext, type HostedEvent } from '../../../../src/core/rules/join/hosted.ts'
import { disturbed } from '../../../support/log/log-lines.ts'

const at = (seconds: number) => new Date(Date.parse('2026-11-24T10:00:00Z') + seconds * 1000)

const context = (extra: Partial<HostedContext> = {}): HostedContext => ({
  mayReport: extra.finishedAt === null,
  mayFind: extra.finishedAt === null,
  work: [],
  startedAt: at(0),
  finishedAt: at(60),
  accounts: [{ id: 'sa-1', own: false }],
  hosts: [{ server: 'hr', host: 'hr.example.com', path: '/mcp' }],
  reported: 1,
  maxCalls: 50,
  answers: 1,
  explained: [],
  lostCalls: 0,
  unreportedCalls: 0,
  calls: [{ id: 'call-1', server: 'hr', tool: 'query', arguments: { sql: 'select 1' } }],
  lost: [],
  allowed: new Map([['hr', ['query']]]),
  ...extra,
})

const matchesOf = (...args: Parameters<typeof matchHosted>) => matchHosted(...args).matches

let next = 1
const event = (extra: Partial<HostedEvent> = {}): HostedEvent => ({
  id: String(next++),
  time: at(10),
  accountId: 'sa-1',
  method: 'POST',
  host: 'hr.example.com',
  path: '/mcp',
  mcpMethod: 'tools/call',
  mcpTool: 'query',
  paramsDigest: digestOf({ sql: 'select 1' }),
  byHeader: true,
  ...extra,
})

describe('a call whose arguments were never said', () => {
  const call = (id: string, args: unknown) => ({ id, server: 'hr', tool: 'query', arguments: args })
  const both = context({ calls: [call('unsaid', null), call('said', { sql: 'select 1' })], reported: 2 })
  const other = { paramsDigest: digestOf({ sql: 'select 2' }) }

  test('explains one line of its tool that no other call does, whichever comes first', () => {
    const [first, second] = [event(other), event({ time: at(11) })]
    for (const events of [
      [first, second],
      [{ ...first, time: at(12) }, second],
    ])
      expect(matchesOf(both, events)).toEqual(
        expect.arrayContaining([
          { eventId: first.id, matchedBy: 'run-header', toolCallId: 'unsaid' },
          { eventId: second.id, matchedBy: 'run-header', toolCallId: 'said' },
        ]),
      )
  })

  test('explains no second one, and none of another tool', () => {
    const [one, second] = [event(other), event({ ...other, time: at(11) })]
    expect(matchesOf(both, [one, second, event({ ...other, mcpTool: 'drop' })])).toEqual([
      { eventId: one.id, matchedBy: 'run-header', toolCallId: 'unsaid' },
    ])
  })
})

describe('while an answer was lost', () => {
  const lost = context({ calls: [], lost: [{ from: at(5), until: at(20) }] })

  test('a call of an allowed tool is the provider’s, who could not report it', () => {
    const one = event()
    expect(matchesOf(lost, [one])).toEqual([{ eventId: one.id, matchedBy: 'lost-answer', toolCallId: null }])
  })

  test.each([
    ['of another tool', { mcpTool: 'drop' }],
    ['of another account', { accountId: 'sa-2' }],
    ['on another host', { host: 'crm.example.com' }],
    ['before the attempt', { time: at(-1) }],
    ['long after it', { time: at(141) }],
  ])('a call %s stays unexplained', (_, extra) => {
    expect(matchesOf(lost, [event(extra)])).toEqual([])
  })

  test.each([
    ['five seconds before', 45, true],
    ['earlier', 44.999, false],
    ['two minutes after', 180, true],
    ['later', 180.001, false],
  ])('the log’s clock and the provider’s end are allowed for: a call %s', (_, second, isOurs) => {
    const late = context({ finishedAt: null, calls: [], lost: [{ from: at(50), until: at(60) }] })
    expect(matchesOf(late, [event({ time: at(second) })])).toHaveLength(isOurs ? 1 : 0)
  })
})

test.each([
  ['five seconds before it', -5, true],
  ['earlier', -5.001, false],
  ['two minutes after it', 180, true],
  ['later', 180.001, false],
])('the log’s clock and the provider’s end are allowed for around a run: an event %s', (_, second, isOurs) => {
  expect(matchesOf(context(), [event({ time: at(second) })])).toHaveLength(isOurs ? 1 : 0)
})

test('a call that was reported is matched by the run, and says how', () => {
  const [one, other] = [event(), event({ byHeader: false })]
  expect(matchesOf(context(), [one])).toEqual([{ eventId: one.id, matchedBy: 'run-header', toolCallId: 'call-1' }])
  expect(matchesOf(context(), [other])).toEqual([{ eventId: other.id, matchedBy: 'account', toolCallId: 'call-1' }])
})

describe('stays unexplained', () => {
  test.each([
    ['a call with other arguments', { paramsDigest: digestOf({ sql: 'select 2' }) }],
    ['a call without arguments', { paramsDigest: null }],
    ['a call whose arguments have no canonical form', { paramsDigest: 'none' }],
    ['another tool', { mcpTool: 'drop' }],
    ['no tool', { mcpTool: null }],
    ['another account', { accountId: 'sa-2' }],
    ['no account', { accountId: null }],
    ['another host', { host: 'crm.example.com' }],
    ['a time before the run', { time: at(-6) }],
    ['a time long after the run', { time: at(181) }],
    ['a method that no session needs', { mcpMethod: 'resources/read' }],
    ['a POST that the gateway could not look into', { mcpMethod: null, mcpTool: null, paramsDigest: null }],
  ])('%s', (_, extra) => {
    expect(matchesOf(context(), [event(extra)])).toEqual([])
  })

  test('a second call like the one that was reported', () => {
    const [first, second] = [event({ time: at(10) }), event({ time: at(11) })]
    expect(matchesOf(context(), [second, first])).toEqual([{ eventId: first.id, matchedBy: 'run-header', toolCallId: 'call-1' }])
  })

  test('any call of a run that reported none', () => {
    expect(matchesOf(context({ calls: [] }), [event()])).toEqual([])
  })

  test('a session on another host', () => {
    expect(matchesOf(context(), [event({ mcpMethod: 'initialize', host: 'crm.example.com' })])).toEqual([])
  })

  test('the session of another account', () => {
    expect(matchesOf(context(), [event({ mcpMethod: 'initialize', accountId: 'sa-2' })])).toEqual([])
  })
})

test.each([
  ['initialize', 'POST'],
  ['notifications/initialized', 'POST'],
  ['notifications/cancelled', 'POST'],
  ['tools/list', 'POST'],
  ['ping', 'POST'],
  [null, 'GET'],
  [null, 'DELETE'],
])('what opens and closes a session (%s, %s) is the run’s own', (mcpMethod, method) => {
  const one = event({ mcpMethod, method, mcpTool: null, paramsDigest: null })
  expect(matchesOf(context(), [one])).toEqual([{ eventId: one.id, matchedBy: 'run-header', toolCallId: null }])
})

test.each([
  ['another path', { path: '/.pomerium/mcp/connect' }],
  ['a path below', { path: '/mcp/other' }],
])('%s of the same host is no session', (_, extra) => {
  expect(matchesOf(context(), [event({ mcpMethod: null, mcpTool: null, method: 'GET', ...extra })])).toEqual([])
  expect(matchesOf(context(), [event({ ...extra })])).toEqual([])
})

test('a query does not change where a session is', () => {
  expect(matchesOf(context(), [event({ mcpMethod: null, mcpTool: null, method: 'GET', path: '/mcp?session=1' })])).toHaveLength(1)
})

describe('sessions are counted', () => {
  const lists = (n: number) => Array.from({ length: n }, () => event({ mcpMethod: 'tools/list', mcpTool: null }))

  test('as many as answers and calls need, three times over', () => {
    expect(matchesOf(context(), lists(50))).toHaveLength(6)
    expect(matchesOf(context({ answers: 3, reported: 2, lostCalls: 1 }), lists(50))).toHaveLength(18)
  })

  test('also those of rounds before, by place and method', () => {
    const explained = [{ place: 'hr.example.com tools/list', events: 5 }, { place: 'hr.example.com initialize', events: 6 }] // prettier-ignore
    expect(matchesOf(context({ explained }), lists(50))).toHaveLength(1)
  })

  test('while the run is under way, as many more may still be reported as the job allows calls', () => {
    const { matches, mayCome } = matchHosted(context({ finishedAt: null, maxCalls: 2 }), lists(50))
    expect([matches.length, mayCome.length]).toEqual([6, 3])
    expect(matchHosted(context({ maxCalls: 2 }), lists(50)).mayCome).toEqual([])
  })
})

describe('calls that may still be reported', () => {
  const many = (extra: Partial<HostedEvent> = {}) => Array.from({ length: 20 }, () => event({ paramsDigest: digestOf({ n: 1 }), ...extra }))
  const running = context({ finishedAt: null, maxCalls: 5, reported: 2 })

  test('are as many as the limit of the job leaves', () => {
    expect(matchHosted(running, many()).mayCome).toHaveLength(3)
    expect(matchHosted({ ...running, lostCalls: 1 }, many()).mayCome).toHaveLength(2)
  })

  test.each([
    ['of a tool that is not allowed', { mcpTool: 'drop' }],
    ['without a tool', { mcpTool: null }],
    ['of another account', { accountId: 'sa-2' }],
    ['on another host', { host: 'crm.example.com' }],
    ['before the run', { time: at(-60) }],
  ])('are none %s', (_, extra) => {
    expect(matchHosted(running, many(extra)).mayCome).toEqual([])
  })

  test('are none once the run is over', () => {
    expect(matchHosted({ ...running, finishedAt: at(60), mayReport: false }, many())).toEqual({ matches: [], mayCome: [] })
  })

  test('and those of an answer that was lost, together', () => {
    const lost = { ...running, lost: [{ from: at(5), until: at(20) }] }
    expect(matchHosted(lost, many()).matches.map(({ matchedBy }) => matchedBy)).toEqual(['lost-answer', 'lost-answer', 'lost-answer'])
  })
})

test('equal calls are matched in the order of time, and then of the log', () => {
  const same = { server: 'hr', tool: 'query', arguments: { sql: 'select 1' } }
  const calls = [{ id: 'a', ...same }, { id: 'b', ...same }, { id: 'c', ...same }] // prettier-ignore
  const events = [event({ id: '12' }), event({ id: '9' }), event({ id: '30', time: at(5) })]
  expect(matchesOf(context({ calls }), events).map(({ eventId, toolCallId }) => [eventId, toolCallId])).toEqual([
    ['30', 'a'],
    ['9', 'b'],
    ['12', 'c'],
  ])
})

test('a call without arguments is one with none', () => {
  const one = event({ paramsDigest: null })
  expect(matchesOf(context({ calls: [{ id: 'x', server: 'hr', tool: 'query', arguments: null }] }), [one])).toHaveLength(1)
})

test('a run that goes on has no end yet', () => {
  expect(matchesOf(context({ finishedAt: null }), [event({ time: at(86_400) })])).toHaveLength(1)
})

const servers = fc.constantFrom('hr', 'crm')
const tools = fc.constantFrom('query', 'list')
const made = fc.array(fc.record({ server: servers, tool: tools, n: fc.integer({ min: 1, max: 3 }) }), { maxLength: 12 })
/** Those of somebody else have other arguments, accounts, hosts, tools or times. */
const foreign = fc.array(
  fc.constantFrom<Partial<HostedEvent>>(
    { paramsDigest: digestOf({ n: 9 }) },
    { accountId: 'sa-2' },
    { host: 'other.example.com' },
    { time: at(-3600) },
    { time: at(3600) },
    { mcpTool: 'drop' },
  ),
  { maxLength: 8 },
)
const seenLines = fc.tuple(made, foreign).chain(([some, others]) => {
  const calls = some.map(({ server, tool, n }, i) => ({ id: `call-${i}`, server, tool, arguments: { n } }))
  const own = calls.map((call, i) =>
    event({ host: `${call.server}.example.com`, mcpTool: call.tool, paramsDigest: digestOf(call.arguments), time: at(i) }),
  )
  const lines = [...own, ...others.map((one) => event({ paramsDigest: digestOf({ n: 1 }), ...one }))]
  // A line that is there twice is two events.
  return disturbed(lines).map((seen) => ({ calls, events: seen.map((line, i) => ({ ...line, id: String(i + 1) })) }))
})

test('lines in any order, twice or missing give no false match, and none is missed', () => {
  fc.assert(
    fc.property(seenLines, ({ calls, events }) => {
      const hosts = ['hr', 'crm'].map((server) => ({ server, host: `${server}.example.com`, path: '/mcp' }))
      const matches = matchesOf(context({ calls, hosts, accounts: [{ id: 'sa-1', own: true }] }), events)
      expect(new Set(matches.map(({ eventId }) => eventId)).size).toBe(matches.length)
      expect(new Set(matches.map(({ toolCallId }) => toolCallId)).size).toBe(matches.length)
      for (const { eventId, toolCallId } of matches) {
        const line = events.find(({ id }) => id === eventId)
        const call = calls.find(({ id }) => id === toolCallId)
        expect(line).toMatchObject({
          accountId: 'sa-1',
          host: `${call?.server}.example.com`,
          mcpTool: call?.tool,
          paramsDigest: digestOf(call?.arguments),
        })
      }
      // As many of each kind as were made or seen, whichever is less.
      for (const [kind, of] of Map.groupBy(calls, ({ server, tool, arguments: args }) => `${server} ${tool} ${digestOf(args)}`)) {
        const seen = events.filter(
          ({ host, mcpTool, paramsDigest, accountId, time }) =>
            `${host.split('.')[0]} ${mcpTool} ${paramsDigest}` === kind && accountId === 'sa-1' && time >= at(-5) && time <= at(180),
        )
        expect(matches.filter(({ toolCallId }) => of.some(({ id }) => id === toolCallId))).toHaveLength(Math.min(of.length, seen.length))
      }
    }),
    { numRuns: 200 },
  )
})
