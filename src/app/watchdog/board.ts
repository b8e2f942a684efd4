import type { AttemptRef } from '../../core/run.ts'

// What the event loop tells the watchdog's thread, in memory that both see: a counter that says that the loop turns, and the attempts under way, each in a slot.

const HEADER_BYTES = 4
const SLOT_BYTES = 256

export const boardBytes = (slots: number): number => HEADER_BYTES + slots * SLOT_BYTES

export interface Board {
  beat(): void
  beats(): number
  /** Names an attempt as under way until it is disposed of. What has no slot is left out. */
  enter(attempt: AttemptRef): Disposable
  attempts(): AttemptRef[]
}

export function openBoard(memory: SharedArrayBuffer): Board {
  const counter = new Int32Array(memory, 0, 1)
  const slots = Array.from({ length: (memory.byteLength - HEADER_BYTES) / SLOT_BYTES }, (_, i) => {
    const at = HEADER_BYTES + i * SLOT_BYTES
    return { length: new Int32Array(memory, at, 1), text: new Uint8Array(memory, at + 4, SLOT_BYTES - 4) }
  })
  const free = [...slots]
  return {
    beat: () => void Atomics.add(counter, 0, 1),
    beats: () => Atomics.load(counter, 0),
    enter({ runId, number, token }) {
      const slot = free.pop()
      const text = Buffer.from(JSON.stringify({ runId, number, token }))
      if (slot && text.length <= slot.text.length) {
        slot.text.set(text)
        Atomics.store(slot.length, 0, text.length)
      }
      return {
        [Symbol.dispose]() {
          if (!slot) return
          Atomics.store(slot.length, 0, 0)
          free.push(slot)
        },
      }
    },
    attempts: () =>
      slots.flatMap(({ length, text }): AttemptRef[] => {
        const used = Atomics.load(length, 0)
        return used === 0 ? [] : [JSON.parse(Buffer.from(text.slice(0, used)).toString())]
      }),
  }
}
