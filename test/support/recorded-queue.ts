import { pino } from 'pino'
import { createProducer, type Producer } from '../../src/queue/producer.ts'

/** What a producer gives to its queue. */
export interface AddedJob {
  data: { runId: string }
  opts?: { jobId?: string }
}

/** A producer over a queue without a server, which hands on what it is given. */
export const producerTo = (take: (jobs: readonly AddedJob[]) => void): Producer =>
  createProducer(
    {
      on: () => {},
      addBulk: async (jobs: AddedJob[]) => {
        take(jobs)
        return []
      },
      getJobs: async () => [],
      obliterate: async () => {},
      close: async () => {},
      count: async () => 0,
      closing: undefined,
    },
    pino({ level: 'silent' }),
  )
