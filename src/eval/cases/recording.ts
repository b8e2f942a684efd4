import { z } from 'zod'

const json = z.record(z.string(), z.unknown())

/** What the servers of a run said: their tools, and what each call gave. */
export const recordSchema = z.strictObject({
  run: z.string().describe('The run that it was taken from.'),
  servers: z
    .record(
      z.string(),
      z.strictObject({
        instructions: z.string().optional().describe('What the server says of itself.'),
        tools: z.array(json).describe('Definitions, as tools/list gives them.'),
        calls: z
          .array(
            z.strictObject({
              tool: z.string().describe('Its name at the server.'),
              arguments: z.unknown().describe('As the model wrote them.'),
              error: z.boolean().default(false).describe('The tool said that it failed.'),
              text: z.string().describe('What it gave.'),
            }),
          )
          .describe('Equal calls get their answers in this order; any other is an error that is said to be off the record.'),
      }),
    )
    .describe('By name.'),
})
export type Recording = z.output<typeof recordSchema>
