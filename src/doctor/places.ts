import { randomUUID } from 'node:crypto'
import { accessSync, constants, existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Agent, type Dispatcher } from 'undici'
import { z } from 'zod'
import { messageOf } from '../core/failure.ts'
import { readAtOnce } from '../lib/files/read-at-once.ts'
import { fetchLean } from '../lib/net/http.ts'
import { createConnector, type WayOptions } from '../lib/net/way/connector.ts'
import { describeWay } from '../lib/net/way/proxy.ts'
import { proxiedParts } from '../config/proxies.ts'
import type { ConfigValues } from '../config/schema.ts'
import { keyIdOf, publicKeyOf } from '../lib/hash/public-key.ts'
import { failed, failedBy, ok, warning, type Finding } from './check.ts'
import { parseJson } from '../lib/json/parse.ts'

/** The key that signs evidence, by its name, and that what it signed last can be kept. */
export function checkEvidenceKey({ keyFile, memoryFile }: { keyFile: string; memoryFile: string }): Finding {
  const check = 'evidence'
  if (!existsSync(keyFile))
    return warning(
      check,
      `there is no key ${keyFile}: no checkpoint is taken, and rewriting the store is not found later`,
      'Bring the one of another host or of a copy here, with its .pub and .last; a deployment that never had one makes it, once: nightshift evidence key create.',
    )
  try {
    accessSync(keyFile, constants.R_OK)
    if (statSync(memoryFile, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`${memoryFile} is a directory`)
    requireRoom(dirname(memoryFile))
    const publicKey = publicKeyOf(readAtOnce(keyFile))
    return ok(check, `signed with ${keyFile}: key ${keyIdOf(publicKey)}, public ${publicKey}`)
  } catch (error) {
    return failed(
      check,
      `The key ${keyFile} cannot sign: ${messageOf(error)}.`,
      'Name files with evidence.keyFile and evidence.memoryFile: one that this user may read, and one that it may write.',
    )
  }
}

/** The directory of reports: that files can be written there, or that it can be made. */
export function checkReportsDir(dir: string): Finding {
  try {
    requireRoom(dir)
    if (existsSync(dir)) tryFile(dir)
    return ok('reports', `files go to ${dir}`)
  } catch (error) {
    return failed(
      'reports',
      `Nothing can be written to ${dir}: ${messageOf(error)}.`,
      'Give this user the right to write there, or name another directory with reportsDir.',
    )
  }
}

/** Writes a file and takes it away again: rights alone do not tell of a disk that is full. */
function tryFile(dir: string): void {
  const file = join(dir, `.nightshift-doctor-${randomUUID()}`)
  try {
    writeFileSync(file, 'Written by nightshift doctor.\n', { mode: 0o600, flag: 'wx' })
  } finally {
    rmSync(file, { force: true })
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

/** Which way the requests of each go, where not all go straight. */
export function checkWays(config: Pick<ConfigValues, 'gateway' | 'providers' | 'webhooks'>): Finding[] {
  const parts = proxiedParts(config)
  if (parts.every(({ proxy }) => proxy === undefined)) return []
  return parts.map(({ name, proxy, url }) => ok(`way of ${name}`, describeWay(url, proxy)))
}

/** A receiver of reports and alarms: that something answers there. Nothing is posted, so whether it takes a message is not known. */
export async function checkWebhook(name: string, url: string, signal: AbortSignal, way: WayOptions = {}): Promise<Finding> {
  const check = `webhook ${name}`
  const place = new URL(url).host
  // As reports go: a pool of its own, which no variable of the environment leads elsewhere by itself.
  const dispatcher = new Agent({ connect: createConnector(way) })
  try {
    const answer = await fetchLean(url, { method: 'HEAD', dispatcher, signal })
    await answer.body?.cancel()
    return ok(check, `${place} answers; no message was sent`)
  } catch (error) {
    signal.throwIfAborted()
    return failed(check, `${place} does not answer: ${reasonOf(error)}.`, `Correct webhooks.${name}.url, or start the receiver.`)
  } finally {
    await dispatcher.destroy()
  }
}

const keysSchema = z.looseObject({ keys: z.array(z.looseObject({})).min(1) })

const MAX_KEYS_BYTES = 1_000_000

/** The keys by which callers that come through Pomerium are known, asked for as the API asks. */
export async function checkAssertionKeys(url: string, dispatcher: Dispatcher, signal: AbortSignal): Promise<Finding> {
  const check = 'api.pomerium'
  const cure = 'Correct api.pomerium.audience, or name where the keys are with api.pomerium.jwksUrl; without them nobody gets in.'
  try {
    const answer = await fetchLean(url, { dispatcher, signal, maxBytes: MAX_KEYS_BYTES })
    const parsed = keysSchema.safeParse(parseJson(await answer.text()))
    if (!answer.ok || !parsed.success) return failed(check, `${url} answers with ${answer.status} and no keys.`, cure)
    return ok(check, `${parsed.data.keys.length} public keys at ${url}`)
  } catch (error) {
    signal.throwIfAborted()
    return failedBy(check, new Error(`There are no keys at ${url}: ${reasonOf(error)}`), cure)
  }
}

/** `fetch failed` says nothing; its cause does. */
const reasonOf = (error: unknown): string => messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error)
