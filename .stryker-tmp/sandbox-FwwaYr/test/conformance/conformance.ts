// @ts-nocheck
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { z } from 'zod'

const METHOD_NOT_FOUND = -32601

/** What the MCP project's scenarios must say of our client. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'initialize', expected: 'pass' },
  { name: 'tools_call', expected: 'pass' },
  { name: 'sse-retry', expected: 'pass' },
  // Nobody is there to be asked: saying so at once is right, and pretending an answer is not.
  { name: 'elicitation-sep1034-client-defaults', expected: 'refuse' },
]

export interface Scenario {
  name: string
  expected: 'pass' | 'refuse'
}

export interface Verdict {
  asExpected: boolean
  /** What the scenario says, in a line. */
  why: string
}

const RUNNER = join(dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')), 'dist/index.js')
const CLIENT = join(import.meta.dirname, 'client.ts')
const checksSchema = z.array(z.object({ id: z.string(), status: z.string(), errorMessage: z.string().optional() }))

/** Lets a scenario drive our MCP code, and compares its checks with what we expect of it. */
export async function runScenario({ name, expected }: Scenario): Promise<Verdict> {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-conformance-'))
  try {
    const client = `${process.execPath} ${CLIENT}${expected === 'refuse' ? ' --hear' : ''}`
    const args = [RUNNER, 'client', '--command', client, '--scenario', name, '--output-dir', dir]
    const runner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const [said] = await Promise.all([text(runner.stdout), text(runner.stderr), once(runner, 'exit')])
    const [place] = readdirSync(dir)
    if (place === undefined) return { asExpected: false, why: `it left no checks: ${said.slice(-500)}` }
    const checks = checksSchema.parse(JSON.parse(readFileSync(join(dir, place, 'checks.json'), 'utf8')))
    return judge(expected, checks)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function judge(expected: Scenario['expected'], checks: z.output<typeof checksSchema>): Verdict {
  const passed = checks.filter(({ status }) => status === 'SUCCESS').length
  const failed = checks.filter(({ status }) => status === 'FAILURE')
  const reasons = failed.map(({ id, errorMessage }) => errorMessage ?? id)
  if (expected === 'pass') {
    const asExpected = passed > 0 && failed.length === 0
    return { asExpected, why: asExpected ? `${passed} checks passed` : reasons.join('; ') || 'nothing was checked' }
  }
  const refusal = reasons.find((reason) => reason.includes(String(METHOD_NOT_FOUND)))
  return {
    asExpected: refusal !== undefined,
    why: refusal === undefined ? reasons.join('; ') || 'it was not refused' : `refused: ${refusal}`,
  }
}
