import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fetch } from 'undici'
import { z } from 'zod'
import { messageOf } from '../core/failure.ts'
import { failed, failedBy, ok, type Finding } from './check.ts'

/** The key that signs evidence: that it can be read, or made where there is none yet. */
export function checkEvidenceKey(file: string): Finding {
  const check = 'evidence'
  try {
    if (existsSync(file)) {
      accessSync(file, constants.R_OK)
      return ok(check, `signed with ${file}`)
    }
    requireRoom(file)
    return ok(check, `the key ${file} is made when the first run is exported or sealed`)
  } catch (error) {
    return failed(
      check,
      `The key ${file} can be neither read nor made: ${messageOf(error)}.`,
      'Name a file with evidence.keyFile that this user may read, or whose directory it may write.',
    )
  }
}

/** The directory of reports: that files can be written there, or that it can be made. */
export function checkReportsDir(dir: string): Finding {
  try {
    requireRoom(dir)
    return ok('reports', `files go to ${dir}`)
  } catch (error) {
    return failed(
      'reports',
      `Nothing can be written to ${dir}: ${messageOf(error)}.`,
      'Give this user the right to write there, or name another directory with reportsDir.',
    )
  }
}

/** Throws when a file or directory could not be made at a path: there is no directory to make it in, or no right to. */
function requireRoom(path: string): void {
  const parent = dirname(path)
  const place = existsSync(path) ? path : parent
  if (!existsSync(place) && place !== dirname(place)) return requireRoom(place)
  if (!statSync(place).isDirectory()) throw new Error(`${place} is no directory`)
  accessSync(place, constants.W_OK)
}

/** A receiver of reports and alarms: that something answers there. Nothing is posted, so whether it takes a message is not known. */
export async function checkWebhook(name: string, url: string, signal: AbortSignal): Promise<Finding> {
  const check = `webhook ${name}`
  const place = new URL(url).host
  try {
    const answer = await fetch(url, { method: 'HEAD', redirect: 'manual', signal })
    await answer.body?.cancel()
    return ok(check, `${place} answers; no message was sent`)
  } catch (error) {
    signal.throwIfAborted()
    return failed(check, `${place} does not answer: ${reasonOf(error)}.`, `Correct webhooks.${name}.url, or start the receiver.`)
  }
}

const keysSchema = z.looseObject({ keys: z.array(z.looseObject({})).min(1) })

/** The keys by which callers that come through Pomerium are known. */
export async function checkAssertionKeys(url: string, signal: AbortSignal): Promise<Finding> {
  const check = 'api.pomerium'
  const cure = 'Correct api.pomerium.audience, or name where the keys are with api.pomerium.jwksUrl; without them nobody gets in.'
  try {
    const answer = await fetch(url, { signal })
    const parsed = keysSchema.safeParse(await answer.json())
    if (!answer.ok || !parsed.success) return failed(check, `${url} answers with ${answer.status} and no keys.`, cure)
    return ok(check, `${parsed.data.keys.length} public keys at ${url}`)
  } catch (error) {
    signal.throwIfAborted()
    return failedBy(check, new Error(`There are no keys at ${url}: ${reasonOf(error)}`), cure)
  }
}

/** `fetch failed` says nothing; its cause does. */
const reasonOf = (error: unknown): string => messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error)
