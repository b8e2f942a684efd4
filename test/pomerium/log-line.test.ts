import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/lib/hash/digest.ts'
import type { AuthorizeEvent } from '../../src/core/authorize-event.ts'
import { createRedactor } from '../../src/lib/redact.ts'
import { parseLogLine } from '../../src/pomerium/log-line.ts'
import { authorizeLine } from '../support/log/log-lines.ts'

const parse = (line: string, paramsBytes = 100) => parseLogLine(line, { paramsBytes })

function event(fields: Record<string, unknown> = {}, paramsBytes = 100): AuthorizeEvent {
  const parsed = parse(authorizeLine(fields), paramsBytes)
  if (parsed.kind !== 'event') throw new Error(`the line is ${parsed.kind}`)
  return parsed.event
}

test('a line is read with who asked for what, and what policy said', () => {
  expect(event({ 'request-id': 'r-1', host: 'HR.example.com:8443', headers: { 'X-Nightshift-Run-Id': 'run_1' } })).toMatchObject({
    requestId: 'r-1',
    time: new Date('2026-11-24T10:00:00Z'),
    method: 'POST',
    host: 'hr.example.com',
    path: '/mcp',
    ip: '127.0.0.1',
    userId: 'svc-reports',
    accountId: 'sa-reports',
    mcpMethod: 'tools/call',
    mcpTool: 'act',
    paramsDigest: digestOf({ n: 1 }),
    params: '{"n":1}',
    runHeader: 'run_1',
    allowed: true,
    reasons: ['user-ok'],
  })
})

describe('a line without a field', () => {
  test.each([
    ['request-id', 'broken'],
    ['time', 'broken'],
    ['allow', 'broken'],
    ['message', 'other'],
  ])('%s says too little: %s', (field, kind) => {
    expect(parse(authorizeLine({ [field]: undefined, 'service-account-id': undefined })).kind).toBe(kind)
  })

  test.each([
    ['method', { method: '' }],
    ['host', { host: '' }],
    ['path', { path: '' }],
    ['ip', { ip: '' }],
    ['user', { userId: '' }],
    ['service-account-id', { accountId: undefined }],
    ['mcp-method', { mcpMethod: undefined, paramsDigest: undefined }],
    ['mcp-tool', { mcpTool: undefined }],
    ['mcp-tool-parameters', { paramsDigest: undefined, params: undefined }],
    ['headers', { runHeader: undefined }],
    ['deny', { allowed: true }],
    ['allow-why-true', { reasons: [] }],
    ['deny-why-false', { allowed: true }],
    ['check-request-id', { allowed: true }],
    ['route-id', { allowed: true }],
    ['level', { allowed: true }],
  ])('%s is still a line', (field, expected) => {
    expect(event({ [field]: undefined })).toMatchObject(expected)
  })
})

test.each([
  ['numbers for texts', { method: 7, host: 7, path: null, ip: [], user: {}, 'service-account-id': 7, 'mcp-tool': 7, headers: 'x' }],
  ['reasons that are no list', { 'allow-why-true': 'user-ok' }],
])('%s are taken for nothing', (_, fields) => {
  const read = event(fields)
  expect(read).toMatchObject({ allowed: true })
  expect(['', 'POST']).toContain(read.method)
})

test.each([
  ['allow and no deny', { allow: true, deny: false }, true, ['user-ok']],
  ['allow and deny', { allow: true, deny: true, 'deny-why-true': ['mcp-tool-unauthorized'] }, false, ['mcp-tool-unauthorized']],
  ['no allow', { allow: false, 'allow-why-false': ['user-unauthorized'] }, false, ['user-unauthorized']],
  ['neither', { allow: false, deny: true, 'deny-why-true': ['mcp-tool-unauthorized'] }, false, ['mcp-tool-unauthorized']],
])('%s: allowed means allow and not deny', (_, fields, allowed, reasons) => {
  expect(event(fields)).toMatchObject({ allowed, reasons })
})

test.each([
  ['an empty line', '', 'other'],
  ['another message', authorizeLine({ message: 'http-request' }), 'other'],
  ['no JSON', 'starting', 'other'],
  ['the mark in another line', JSON.stringify({ message: 'http-request', path: 'authorize check', note: '"authorize check"' }), 'other'],
  ['the mark as a value of another field', JSON.stringify({ note: 'authorize check', message: 'x' }), 'other'],
  ['the mark alone', '"authorize check"', 'other'],
  ['the mark in a list', '["authorize check"]', 'other'],
])('%s', (_, line, kind) => {
  expect(parse(line).kind).toBe(kind)
})

describe('a line that cannot be read', () => {
  const nobody = { 'service-account-id': undefined }
  const unreadable = (fields: Record<string, unknown>): [string, string][] => [
    ['half of it', authorizeLine(fields).slice(20)],
    ['cut at its end', authorizeLine(fields).slice(0, -1)],
    ['two in one', authorizeLine(fields) + authorizeLine(fields)],
    ['with a time that is none', authorizeLine({ ...fields, time: 'yesterday' })],
    ['with a day that is none', authorizeLine({ ...fields, time: '2026-02-30T10:00:00Z' })],
    ['with a request id that is none', authorizeLine({ ...fields, 'request-id': 7 })],
    ['that does not say what was decided', authorizeLine({ ...fields, allow: undefined })],
  ]

  test.each(unreadable(nobody))('%s and names no account is broken', (_, line) => {
    expect(parse(line)).toEqual({ kind: 'broken' })
  })

  test.each(unreadable({}))('%s and names an account is an event of it that nothing can explain', (_, line) => {
    expect(parse(line)).toMatchObject({
      kind: 'event',
      event: { accountId: 'sa-reports', requestId: '', method: 'unreadable', host: '', reasons: ['unreadable'], mcpMethod: undefined },
    })
  })

  test('is of an account of ours whose id is anywhere in it', () => {
    const line = authorizeLine({ ...nobody, path: '/sa-of-ours' }).slice(0, -1)
    expect(parseLogLine(line, { paramsBytes: 0, accountIds: () => ['', 'sa-of-ours'] })).toMatchObject({
      event: { accountId: 'sa-of-ours' },
    })
  })

  test('is never of a time that is to come, whatever its sender wrote', () => {
    const parsed = parse(authorizeLine({ 'request-id': 7, time: '2999-01-01T00:00:00Z' }))
    expect(parsed.kind === 'event' && parsed.event.time.getTime()).toBeLessThanOrEqual(Date.now())
  })
})

test.each([
  ['the name of a container', (line: string) => `pomerium-1  | ${line}`],
  ['a time', (line: string) => `2026-11-24T10:00:00.123Z ${line}`],
  ['colours', (line: string) => `\u001b[32m${line}\u001b[0m`],
])('a line beside %s is the line that Pomerium wrote, with the same digest', (_, passOn) => {
  const line = authorizeLine()
  expect(parse(passOn(line))).toEqual(parse(line))
})

test.each([
  ['without end', `${'x'.repeat(199)}\ud83d\ude00${'x'.repeat(10_000)}`, `${'x'.repeat(199)}\ufffd`],
  ['that is empty', '', ''],
])('a request id %s hides no line: it may be chosen by whoever sends the request', (_, requestId, kept) => {
  expect(event({ 'request-id': requestId })).toMatchObject({ requestId: kept, accountId: 'sa-reports', allowed: true })
})

test('no text of a line is kept that is longer than any of ours', () => {
  const long = 'x'.repeat(1_000_000)
  const read = event({
    method: long,
    host: long,
    path: long,
    ip: long,
    user: long,
    'mcp-method': long,
    'mcp-tool': long,
    'allow-why-true': [long],
  })
  expect(JSON.stringify(read).length).toBeLessThan(100_000)
})

test.each([['x-nightshift-run-id'], ['X-Nightshift-Run-Id'], ['X-NIGHTSHIFT-RUN-ID']])('the run is known by %s', (name) => {
  expect(event({ headers: { Other: 'x', [name]: 'run_1' } }).runHeader).toBe('run_1')
})

test.each([[''], [7], [null], [['run_1']], [{ a: 1 }]])('a run header that is %j is none', (value) => {
  expect(event({ headers: { 'X-Nightshift-Run-Id': value } }).runHeader).toBeUndefined()
})

test.each([
  ['a fraction', '2026-11-24T10:00:00.123456789Z', '2026-11-24T10:00:00.123Z'],
  ['an offset', '2026-11-24T12:00:00+02:00', '2026-11-24T10:00:00.000Z'],
])('a time with %s', (_, time, iso) => {
  expect(event({ time }).time.toISOString()).toBe(iso)
})

describe('parameters', () => {
  test('have the same digest in whatever order they were written', () => {
    const one = event({ 'mcp-tool-parameters': { a: 1, b: { c: [1, 2], d: 'é' } } })
    const other = event({ 'mcp-tool-parameters': { b: { d: 'é', c: [1, 2] }, a: 1 } })
    expect(other.paramsDigest).toBe(one.paramsDigest)
    expect(event({ 'mcp-tool-parameters': { a: 1, b: { c: [2, 1], d: 'é' } } }).paramsDigest).not.toBe(one.paramsDigest)
  })

  test('are kept as text up to the cap, at a whole character', () => {
    const fields = { 'mcp-tool-parameters': { text: 'ééééé' } }
    expect(event(fields, 11).params).toBe('{"text":"é')
    expect(event(fields, 12).params).toBe('{"text":"é')
  })

  test('are not kept as text with a cap of 0; their digest is', () => {
    expect(event({}, 0)).toMatchObject({ params: undefined, paramsDigest: digestOf({ n: 1 }) })
  })

  test('of another method are not a call’s', () => {
    expect(event({ 'mcp-method': 'initialize' })).toMatchObject({ params: undefined, paramsDigest: undefined })
  })

  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  test('that are hostile do not hide their call, and are no call of ours', () => {
    const line = authorizeLine({ 'mcp-tool-parameters': 'HERE' }).replace('"HERE"', nested(50_000))
    const parsed = parse(line)
    expect(parsed).toMatchObject({ kind: 'event', event: { mcpTool: 'act', paramsDigest: 'none' } })
  })

  test.each(['9007199254740993', '1e400', '-9223372036854775808'])('with a number that no double holds keep its digits: %s', (number) => {
    const parsed = parse(authorizeLine({ 'mcp-tool-parameters': 'HERE' }).replace('"HERE"', `{"n":${number}}`))
    expect(parsed).toMatchObject({ event: { params: `{"n":"${number}"}`, paramsDigest: digestOf({ n: number }) } })
  })

  test.each(['0000-01-01T00:00:00Z', '9999-12-31T23:59:59-23:59'])(
    'a line of a time that no store and no reader holds cannot be read, and is of now: %s',
    (time) => {
      const before = Date.now()
      const parsed = parse(authorizeLine({ time }))
      expect(parsed).toMatchObject({ kind: 'event', event: { reasons: ['unreadable'] } })
      expect(parsed.kind === 'event' && parsed.event.time.getTime()).toBeGreaterThanOrEqual(before)
    },
  )

  test('with half a character are those of the mended text, as a call of ours is kept', () => {
    const parsed = parse(authorizeLine({ 'mcp-tool-parameters': 'HERE' }).replace('"HERE"', '"\\ud800"'))
    expect(parsed).toMatchObject({ kind: 'event', event: { mcpTool: 'act', paramsDigest: digestOf('\ufffd') } })
  })

  test('of two megabytes are read whole', () => {
    const text = 'x'.repeat(2_097_152)
    expect(event({ 'mcp-tool-parameters': { text } }, 10)).toMatchObject({ params: '{"text":"x', paramsDigest: digestOf({ text }) })
  })
})

test('hostile text is kept as Postgres can hold it', () => {
  const bad = 'a\0b\ud800c'
  const read = event({
    'request-id': bad, host: bad, path: bad, ip: bad, user: bad, 'service-account-id': bad, 'mcp-tool': bad, headers: { 'X-Nightshift-Run-Id': bad }, 'allow-why-true': [bad],
  }) // prettier-ignore
  expect(JSON.stringify(read)).not.toMatch(/\\u0000|\\ud800/)
  expect(read).toMatchObject({ requestId: 'a\ufffdb\ufffdc', reasons: ['a\ufffdb\ufffdc'] })
})

test('keeps no secret of a line, in whichever field it is, and knows the call by its digest all the same', () => {
  const secret = 'secret-of-ours'
  const token = 'Pomerium-eyJhbGci.eyJzdWIi.c2ln'
  const canary = `${secret} ${token}`
  const texts = ['request-id', 'method', 'host', 'path', 'ip', 'user', 'service-account-id', 'mcp-method', 'mcp-tool']
  const line = authorizeLine({
    ...Object.fromEntries(texts.map((field) => [field, canary])),
    'mcp-method': 'tools/call',
    'mcp-tool-parameters': { [canary]: { deep: [canary] } },
    headers: { 'X-Nightshift-Run-Id': canary },
    'allow-why-true': [canary],
  })
  const redact = createRedactor()
  redact.add(secret)
  const kept = parseLogLine(line, { paramsBytes: 1000, redact: redact.redact })
  expect(kept.kind).toBe('event')
  const text = JSON.stringify(kept)
  expect(text).toContain('[secret]')
  for (const one of [secret, token, 'eyJhbGci']) expect(text.toLowerCase()).not.toContain(one.toLowerCase())
  const plain = parseLogLine(line, { paramsBytes: 0 })
  expect(plain.kind === 'event' && kept.kind === 'event' && plain.event.paramsDigest === kept.event.paramsDigest).toBe(true)
})
