// Whether a server answers, before a run waits for it: what is wrong on the author's own machine is said at once, and not as a gateway sees it.
import { Failure, messageOf } from '../core/failure.ts'
import { codesOf } from '../lib/net/connection-error.ts'
import { showLine } from '../lib/text.ts'

export interface RunningDevServer {
  name: string
  url: string
  /** Undefined: it was there before, at its address. */
  program: { line: string; fault: () => 'ended' | Error | undefined } | undefined
}

export interface LookOptions {
  signal: AbortSignal
  /** Is told when it takes long. */
  onSlow: () => void
  withinMs?: number
  slowMs?: number
}

/** A program may have to be fetched first, such as by npx. */
const ANSWER_MS = 60_000
const SLOW_MS = 5000
const MAX_BYTES = 1_048_576

const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'nightshift dev', version: '0' } },
})

/** Asks a server for its `initialize`, and ends that session. Throws `COMMAND_INVALID` with the cause where none comes. */
export async function lookAt(server: RunningDevServer, options: LookOptions): Promise<void> {
  const { withinMs = ANSWER_MS, slowMs = SLOW_MS } = options
  const late = AbortSignal.timeout(withinMs)
  const signal = AbortSignal.any([options.signal, late])
  const slow = setTimeout(options.onSlow, slowMs)
  try {
    const response = await fetch(server.url, { method: 'POST', headers: HEADERS, body: INITIALIZE, redirect: 'manual', signal })
    const isAnswered = await hasAnswer(response)
    const session = response.headers.get('mcp-session-id')
    if (session !== null)
      await fetch(server.url, { method: 'DELETE', headers: { 'mcp-session-id': session }, signal }).then((ended) => ended.body?.cancel(), () => {}) // prettier-ignore
    if (!isAnswered) throw faultOf(server, response)
  } catch (error) {
    options.signal.throwIfAborted()
    if (error instanceof Failure) throw error
    throw late.aborted ? silent(server, withinMs) : faultOf(server, error)
  } finally {
    clearTimeout(slow)
  }
}

/** Reads until there is a message of JSON-RPC: a stream goes on after it. */
async function hasAnswer({ ok, body }: Response): Promise<boolean> {
  let text = ''
  if (!ok || !body) {
    await body?.cancel()
    return false
  }
  const decoder = new TextDecoder()
  // oxlint-disable-next-line waits/bounded -- the signal of the request ends it
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true })
    if (text.includes('"jsonrpc"') && /"(?:result|error)"/.test(text)) return true
    if (text.length > MAX_BYTES) return false
  }
  return false
}

const invalid = (message: string, cure: string) => new Failure({ code: 'COMMAND_INVALID', message, cure })

const silent = ({ name, program, url }: RunningDevServer, withinMs: number) =>
  invalid(
    `The server ${name} (${showLine(program?.line ?? url)}) did not answer initialize within ${withinMs / 1000} s.`,
    program
      ? 'See that it serves MCP on its standard input and output, and writes nothing else on its output.'
      : 'See that it serves MCP over streamable HTTP at this address.',
  )

function faultOf({ name, program, url }: RunningDevServer, met: unknown): Failure {
  if (program) {
    const fault = program.fault()
    const line = showLine(program.line)
    if (fault instanceof Error)
      return invalid(
        `The server ${name} cannot be started: ${whyNoProgram(line.split(' ')[0] ?? '', fault)}.`,
        `Correct its command (${line}); a program is looked for on PATH.`,
      )
    return invalid(`The server ${name} ended before it answered; what it wrote stands above.`, `Run it by itself: ${line}`)
  }
  if (met instanceof Response) return refused(name, url, met)
  return invalid(
    `Nothing answers at ${showLine(url)}, the address of the server ${name} (${whyOf(met)}).`,
    `Start the server, or correct its address in --mcp ${name}=… or config/dev.yaml.`,
  )
}

function refused(name: string, url: string, { status, ok, headers }: Response): Failure {
  const to = headers.get('location')
  const what = `The server ${name} at ${showLine(url)} answers initialize with HTTP ${status}`
  if (ok) return invalid(`${what}, and with no message of MCP.`, 'Write the address at which it serves MCP, which is often /mcp.')
  if (to !== null) return invalid(`${what}, to ${showLine(to)}.`, 'Write that address.')
  return invalid(
    `${what}.`,
    status === 404 || status === 405
      ? 'Write the address at which it serves MCP over streamable HTTP, which is often /mcp.'
      : status === 401 || status === 403
        ? 'Start it without a key: here, the stand-in gateway adds none.'
        : 'See its own log.',
  )
}

/** A look along PATH that finds no program ends with EACCES where it met a directory that may not be read, or a file of this name that may not be run (execvp). */
function whyNoProgram(command: string, fault: Error): string {
  const code = 'code' in fault ? fault.code : undefined
  if (code === 'ENOENT') return `there is no program ${command}`
  return code === 'EACCES' ? `there is no program ${command} that this user may run` : messageOf(fault)
}

/** Node puts why a connection failed into the cause. */
const whyOf = (error: unknown): string => codesOf(error)[0] ?? messageOf(error instanceof Error ? (error.cause ?? error) : error)
