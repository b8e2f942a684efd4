import child from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { Failure, messageOf } from '../../../core/failure.ts'

const execFile = promisify(child.execFile)

/** For initdb, which takes seconds: less than another process waits for the directory. */
const INIT_MS = 90_000

/** Postgres refuses to run as root; `nobody` exists everywhere. */
export const NOBODY = 65_534

/** The environment of the programs of Postgres: nothing of ours, which holds tokens and keys, and who runs the server can read it. */
export const SERVER_ENVIRONMENT = { LC_ALL: 'C' }

/** Where a cluster is, and what runs it. */
export interface Place {
  dir: string
  data: string
  /** Directory of the programs of Postgres. */
  bin: string
  /** Who runs the server: nobody when we are root. */
  user: { uid?: number; gid?: number }
}

/** `rolePassword` is missing in what earlier versions wrote: they worked as the superuser. */
const settingsSchema = z.object({ password: z.string(), rolePassword: z.string().optional() })

type KeptSettings = z.infer<typeof settingsSchema>

/** The passwords of the superuser and of Nightshift's own role. */
export interface Settings {
  password: string
  rolePassword: string
}

const makePassword = () => randomBytes(24).toString('base64url')

/**
 * Makes the cluster when there is none, and returns its passwords. It is made under another name and renamed when it is whole, so a `data` is
 * never one that is half made: whatever is missing beside it, it is kept. The settings stand beside the data and once more in them, so that a
 * copy of `data` alone can be opened.
 */
export async function openCluster(place: Place): Promise<{ settings: Settings; isNew: boolean }> {
  const { dir, data } = place
  const settingsFile = join(dir, 'settings.json')
  const unfinished = `${data}.new`
  if (existsSync(data)) {
    const copy = copyIn(data)
    const found = [settingsFile, copy].find((file) => existsSync(file))
    if (found === undefined) throw incomplete(`${data} holds a database, and ${settingsFile} with its password is missing`, settingsFile)
    const kept = readSettings(found)
    const settings = { ...kept, rolePassword: kept.rolePassword ?? makePassword() }
    for (const file of [settingsFile, copy]) if (!existsSync(file) || lacksRole(file, kept)) writeSettings(file, settings)
    return { settings, isNew: false }
  }
  if (existsSync(settingsFile) && !existsSync(unfinished))
    throw incomplete(`${settingsFile} is there, and ${data} with the database is missing`, data)
  rmSync(unfinished, { recursive: true, force: true }) // it was never `data`, so no server ever wrote a run into it
  const settings = { password: makePassword(), rolePassword: makePassword() }
  await initialise({ ...place, data: unfinished }, settings.password)
  writeSettings(copyIn(unfinished), settings)
  writeSettings(settingsFile, settings)
  renameSync(unfinished, data)
  return { settings, isNew: true }
}

/** An earlier version wrote the file, for the same cluster. */
function lacksRole(file: string, { password }: KeptSettings): boolean {
  const settings = readSettings(file)
  return settings.rolePassword === undefined && settings.password === password
}

const copyIn = (data: string) => join(data, 'nightshift.json')

function readSettings(file: string): KeptSettings {
  try {
    return settingsSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw incomplete(`${file} cannot be read: ${messageOf(cause)}`, file)
  }
}

function writeSettings(file: string, settings: Settings): void {
  rmSync(`${file}.new`, { force: true }) // what is there keeps its mode
  writeFileSync(`${file}.new`, JSON.stringify(settings), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

const incomplete = (what: string, file: string) =>
  new Failure({
    code: 'STORE_UNAVAILABLE',
    message: `The embedded Postgres is incomplete: ${what}.`,
    cure: `Put ${file} back from where it was copied or saved; to begin with an empty store instead, move the whole directory away.`,
  })

const unlisted = (uid: number | undefined) =>
  `Run Nightshift as a user that is listed in /etc/passwd, give user ${uid} a line there (in an image: RUN useradd --uid ${uid} nightshift), or set databaseUrl to a Postgres of your own. Postgres asks for it once: a store that is there already starts without.`

async function initialise({ data, bin, user }: Place, password: string): Promise<void> {
  mkdirSync(data, { mode: 0o700 })
  const passwordFile = `${data}-${randomBytes(6).toString('hex')}`
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (user.uid !== undefined && user.gid !== undefined) for (const path of [data, passwordFile]) chownSync(path, user.uid, user.gid)
  const flags = [
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--auth=scram-sha-256',
    '--no-sync',
  ]
  try {
    await execFile(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', `--pwfile=${passwordFile}`, ...flags], {
      ...user,
      cwd: data,
      env: SERVER_ENVIRONMENT,
      timeout: INIT_MS,
    })
  } catch (cause) {
    const isUnlisted = messageOf(cause).includes('could not look up effective user ID')
    throw new Failure({
      code: 'STORE_UNAVAILABLE',
      message: `The embedded Postgres could not be initialised in ${data}: ${messageOf(cause)}`,
      ...(isUnlisted && { cure: unlisted(user.uid ?? process.getuid?.()) }),
      cause,
    })
  } finally {
    rmSync(passwordFile, { force: true })
  }
}
