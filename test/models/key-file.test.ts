// A key is read for each request. Where that fails, nothing was sent: no call can have run, and nothing was spent.
import { expect, test } from 'vitest'
import { Failure } from '../../src/core/failure.ts'
import { isNotRun } from '../../src/core/ports/gateway.ts'
import { openProvider } from '../support/model/provider.ts'

test.each(['responses', 'chat', 'hosted', 'messages'] as const)(
  '%s: a key that cannot be read is told with its own cure, and may be there later',
  async (way) => {
    let posts = 0
    const unreadable = {
      code: 'CONFIG_INVALID',
      message: 'providers.odd: the file /key cannot be used: it is empty.',
      cure: 'Write it.',
    } as const
    const apiKey = () => {
      throw new Failure(unreadable)
    }
    await using opened = await openProvider({ way, stream: true, apiKey }, (res) => {
      posts++
      res.end()
    })
    const failure = await opened.ask()
    expect(failure).toMatchObject({ ...unreadable, retry: 'later' })
    expect([isNotRun(failure), posts, opened.judged()]).toEqual([true, 0, way === 'hosted' ? 'never-began' : undefined])
    expect(await opened.knows('m')).toBe('CONFIG_INVALID')
  },
)
