import { expect, test } from 'vitest'
import { read } from '../../../../src/core/rules/reading/thread.ts'

test('a task is done by its kind, and nothing else is said; without one there is nothing to say', () => {
  expect(read(undefined)).toEqual({})
  expect(read({ kind: 'look', text: 'a' })).toEqual({ look: { shape: 'text of 1 line', rest: null } })
  expect(read({ kind: 'page', text: 'a', asked: { id: 't1c1' }, resultBytes: 4096 })).toEqual({
    page: { ok: true, text: '[t1c1: lines 1 to 1 of 1]\na\n[End]' },
  })
  expect(read({ kind: 'ground', text: 'Utrecht', value: { a: 'Utrecht', b: 'Paris' }, paths: ['a', 'b'] })).toEqual({
    ungrounded: [{ path: '/b', value: 'Paris' }],
  })
})
