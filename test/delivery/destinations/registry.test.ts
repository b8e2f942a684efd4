import { expect, test } from 'vitest'
import {
  deliverFault,
  describeTarget,
  openDestinations,
  targetOf,
  type DestinationsConfig,
} from '../../../src/delivery/destinations/registry.ts'
import { aRunView } from '../../support/app/run-view.ts'
import { reportEvent } from '../../../src/delivery/destinations/report.ts'

const config: DestinationsConfig = {
  reportsDir: '/reports',
  reportsReadableBy: 'owner',
  webhooks: { team: { url: 'https://hooks.example/' } },
}

test.each([
  { entry: { file: 'hr' }, target: { kind: 'file', dir: 'hr' }, words: 'file hr' },
  { entry: { webhook: 'team' }, target: { kind: 'webhook', name: 'team' }, words: 'webhook team' },
])('an entry $entry is kept as $target and shown as "$words"', ({ entry, target, words }) => {
  expect(targetOf(entry)).toEqual(target)
  expect(describeTarget(target)).toBe(words)
  expect(deliverFault(entry, config)).toBeUndefined()
})

test('a webhook that the configuration lacks is a fault that names those it has', () => {
  expect(deliverFault({ webhook: 'ops' }, config)).toBe(
    'names the webhook ops, which is not under webhooks: in the configuration; known are team',
  )
  expect(deliverFault({ webhook: 'ops' }, { ...config, webhooks: {} })).toContain('there is none')
})

test('a target of another version is shown by its kind, and delivered by a worker that knows it', async () => {
  const target = { kind: 'pigeon', coop: 7 }
  expect(describeTarget(target)).toBe('pigeon')
  await using stack = new AsyncDisposableStack()
  const destinations = openDestinations({ ...config, webhooks: {} }, { read: () => undefined, redact: () => {} })
  stack.defer(() => destinations.close())
  const run = aRunView()
  expect(await destinations.send(target, { id: 'd1', event: reportEvent(run, 'd1'), run })).toEqual({
    ok: false,
    error: 'there is no destination pigeon',
    final: false,
  })
})
