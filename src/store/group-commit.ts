/** Group commit: entries that arrive while a batch is being written share the next one, in the order of arrival. */
export interface GroupCommitOptions<Entry> {
  /** Key of the row that an entry writes. No batch holds two entries of one key: one statement cannot write a row twice. */
  keyOf: (entry: Entry) => string
  /** Writes a batch in one statement. Returns what is wrong with each entry that was left out; undefined for one that is durable. */
  write: (batch: readonly Entry[]) => Promise<readonly (Error | undefined)[]>
  /** True for an error caused by a single entry: the batch is then written one by one, so that only that entry fails. */
  isFaultOfOne: (error: unknown) => boolean
  maxBatch: number
}

export interface GroupCommit<Entry> {
  /** Resolves when the entry is durable. */
  add(entry: Entry): Promise<void>
}

interface Waiting<Entry> {
  entry: Entry
  done(): void
  fail(error: unknown): void
}

/** How many of the first entries go into the next batch: up to `maxBatch`, and until a key repeats. */
export function nextBatchSize(keys: readonly string[], maxBatch: number): number {
  const seen = new Set<string>()
  for (const key of keys) {
    if (seen.has(key) || seen.size === maxBatch) break
    seen.add(key)
  }
  return seen.size
}

export function createGroupCommit<Entry>({ keyOf, write, isFaultOfOne, maxBatch }: GroupCommitOptions<Entry>): GroupCommit<Entry> {
  const waiting: Waiting<Entry>[] = []
  let writing = false

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      // No batch is longer than `maxBatch`, so no more keys than that decide its size.
      const keys = waiting.slice(0, maxBatch).map(({ entry }) => keyOf(entry))
      await writeBatch(waiting.splice(0, nextBatchSize(keys, maxBatch)))
    }
    writing = false
  }

  async function writeBatch(batch: readonly Waiting<Entry>[]): Promise<void> {
    try {
      const faults = await write(batch.map(({ entry }) => entry))
      for (const [at, one] of batch.entries()) {
        const fault = faults[at]
        if (fault) one.fail(fault)
        else one.done()
      }
    } catch (error) {
      if (batch.length > 1 && isFaultOfOne(error)) for (const one of batch) await writeBatch([one])
      else for (const one of batch) one.fail(error)
    }
  }

  return {
    add: (entry) =>
      // oxlint-disable-next-line waits/bounded -- `write` is bounded, and settles each entry
      new Promise((done, fail) => {
        waiting.push({ entry, done, fail })
        if (writing) return
        writing = true
        setImmediate(() => void writeAll()) // entries of the same event loop turn share a batch
      }),
  }
}
