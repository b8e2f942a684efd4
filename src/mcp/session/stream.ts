import { Failure } from '../../core/failure.ts'
import type { RequestScope } from './exchange.ts'

/** The event streams that are open, also those whose results have come. */
export interface OpenStreams {
  /**
   * Reads a stream piece by piece, as text that `read` makes of it; it is called once more, without bytes, at the end. Tells the scope when the stream is over, and what
   * is wrong with it when it is more than cut.
   */
  watch(
    body: ReadableStream<Uint8Array>,
    scope: RequestScope,
    read: (bytes: Uint8Array | undefined) => string,
  ): ReadableStream<Uint8Array<ArrayBuffer>>
  /** Ends all of them: a server may keep one open after its result. */
  end(): void
}

export function createOpenStreams(): OpenStreams {
  const open = new Set<() => void>()
  return {
    watch(body, scope, read) {
      const reader = body.getReader()
      const end = () => void reader.cancel().catch(() => {})
      const encoder = new TextEncoder()
      open.add(end)
      return new ReadableStream({
        async pull(controller) {
          try {
            for (;;) {
              const { done, value } = await reader.read()
              const text = read(done ? undefined : value)
              if (text !== '') controller.enqueue(encoder.encode(text))
              if (done) break
              if (text !== '') return
            }
            controller.close()
          } catch (error) {
            // SDK: it takes any broken stream for a cut one and resumes it. A body over a limit must not come again.
            if (error instanceof Failure) scope.failed(error)
            controller.error(error)
            end()
          }
          open.delete(end)
          scope.ended()
        },
        cancel(reason) {
          open.delete(end)
          return reader.cancel(reason)
        },
      })
    },
    end() {
      for (const one of open) one()
    },
  }
}
