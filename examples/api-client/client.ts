import { z } from 'zod'

export interface RunJobOptions {
  /** Of Nightshift's API, without a path. */
  url: string
  /** An API token: nightshift api-token NAME --role runner --jobs JOB. */
  token: string
  job: string
  input: unknown
  /** The same key never makes a second run, so a request whose answer was lost can be sent again. */
  idempotencyKey: string
}

/** What is read of a run; the API gives more. */
const runSchema = z.object({
  id: z.string(),
  status: z.enum(['queued', 'running', 'waiting', 'succeeded', 'incomplete', 'failed', 'cancelled']),
  reasons: z.array(z.object({ code: z.string(), message: z.string() })),
  output: z.unknown(),
  outputText: z.string().nullable(),
})
export type Run = z.infer<typeof runSchema>

const TRIES = 5
const WAIT_S = 30
const TIMEOUT_MS = 45_000

/** Asks for a run of a job and returns it once it is over, or waits for a person. Throws when the API refuses. */
export async function runJob({ url, token, job, input, idempotencyKey }: RunJobOptions): Promise<Run> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const created = await ask(`${url}/v1/jobs/${job}/runs`, {
    method: 'POST',
    headers: { ...headers, 'idempotency-key': idempotencyKey },
    body: JSON.stringify({ input }),
  })
  const { id } = runSchema.pick({ id: true }).parse(created)
  for (;;) {
    const run = runSchema.parse(await ask(`${url}/v1/runs/${id}?wait=${WAIT_S}`, { headers }))
    if (run.status !== 'queued' && run.status !== 'running') return run
  }
}

/** Sends a request again while the API is away or its queue is full, and no other. */
async function ask(url: string, init: RequestInit): Promise<unknown> {
  for (let tries = 1; ; tries++) {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error: unknown) => {
      if (tries === TRIES) throw error
      return undefined
    })
    if (response?.ok) return response.json()
    if (response && ((response.status !== 429 && response.status < 500) || tries === TRIES)) {
      // A problem (RFC 9457) with one of the codes of docs/failures.md, and its cure.
      const { code, detail, cure } = z.object({ code: z.string(), detail: z.string(), cure: z.string() }).parse(await response.json())
      throw new Error(`${code}: ${detail} ${cure}`)
    }
    const seconds = Number(response?.headers.get('retry-after') ?? 2 ** tries / 10)
    await new Promise((done) => setTimeout(done, seconds * 1000))
  }
}

if (import.meta.main) {
  const { NIGHTSHIFT_URL = 'http://127.0.0.1:8480', NIGHTSHIFT_TOKEN = '' } = process.env
  const [job = '', input = '{}', idempotencyKey = crypto.randomUUID()] = process.argv.slice(2)
  const run = await runJob({ url: NIGHTSHIFT_URL, token: NIGHTSHIFT_TOKEN, job, input: JSON.parse(input), idempotencyKey })
  console.log(JSON.stringify(run.output ?? run.outputText))
  process.exitCode = run.status === 'succeeded' ? 0 : 1
}
