import pLimit from 'p-limit'
import { expect, test } from 'vitest'
import { whenFree } from '../../src/mcp/slots.ts'
import { aServer, openBox } from '../support/mcp/tool-box.ts'
import { startScriptedServer, textResult } from '../support/mcp/scripted-server.ts'

const never = new AbortController().signal

/** A slot that somebody else holds until it is let go. */
function heldSlot() {
  const slot = pLimit(1)
  const { promise, resolve } = Promise.withResolvers<void>()
  void slot(() => promise)
  return { slot, letGo: resolve }
}

test('work begins when there is a slot', async () => {
  const { slot, letGo } = heldSlot()
  const done = whenFree(slot, async () => 'done', { signal: never, waitMs: Infinity })
  letGo()
  expect(await done).toBe('done')
})

test('work whose time to begin is over never runs, and holds up no other', async () => {
  const { slot, letGo } = heldSlot()
  let ran = false
  const late = whenFree(
    slot,
    async () => {
      ran = true
    },
    { signal: never, waitMs: 0 },
  )
  const next = whenFree(slot, async () => 'next', { signal: never, waitMs: Infinity })
  expect(await late).toBeUndefined()
  letGo()
  expect([await next, ran]).toEqual(['next', false])
})

test('a run that ends waits for no slot', async () => {
  const { slot } = heldSlot()
  const ended = new AbortController()
  const waiting = whenFree(slot, async () => 'done', { signal: ended.signal, waitMs: Infinity })
  ended.abort(new Error('cancelled'))
  await expect(waiting).rejects.toThrow('cancelled')
})

test('work that began is not ended when its time to begin is over, and its failure is its own', async () => {
  const { promise, reject } = Promise.withResolvers<string>()
  const begun = whenFree(pLimit(1), () => promise, { signal: never, waitMs: 0 })
  // The time is over before this.
  setTimeout(() => reject(new Error('failed')), 5)
  await expect(begun).rejects.toThrow('failed')
})

test('a call of a server that others keep busy is not made, and the model is told', async () => {
  await using server = await startScriptedServer({ 'tools/call': (seen) => seen.result(textResult('done')) })
  const { slot, letGo } = heldSlot()
  await using opened = await openBox([aServer(server.url)], { slots: new Map([['shop', slot]]) })
  const place = { turn: 1, callId: 'c', arguments: '{"n":1}', resultBytes: 1000 }
  const busy = await opened.box.call({ ...place, position: 0, name: 'shop__act', giveUpAt: performance.now() }, never)
  expect(busy).toEqual({
    status: 'refused',
    text: 'Error: not made: the server was busy with other work until the deadline of this run was near. Answer with what you have.',
    truncated: false,
    failure: null,
    mistake: false,
  })
  expect(opened.journal.ends).toMatchObject([{ status: 'refused' }])
  letGo()
  expect(await opened.box.call({ ...place, position: 1, name: 'shop__look', giveUpAt: Infinity }, never)).toMatchObject({ status: 'ok' })
  expect(server.seen.filter(({ kind }) => kind === 'tools/call')).toHaveLength(1)
})
