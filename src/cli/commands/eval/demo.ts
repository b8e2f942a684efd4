import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { makeTemporary } from '../../../app/open/temporary.ts'
import { loadConfig, type Config } from '../../../config/load.ts'
import type { Arm } from '../../../eval/arms.ts'
import type { Terminal } from '../../terminal/terminal.ts'

const JOBS_DIR = join(import.meta.dirname, '../../../../jobs')

const FREE = { input: 0, cachedInput: 0, output: 0 }

/** The demo's gateway, servers and scripted models, with the shipped job and its cases. */
export interface EvalDemo extends AsyncDisposable {
  config: Config
  job: string
  /** One for each of the scripted models. */
  arms: Arm[]
}

/**
 * `modelUrl`: a server of the Chat API beside the scripted models, as the provider `local`. What its models cost is their owner's: for the limits of the demo's job they
 * cost nothing.
 */
export async function openDemo(terminal: Terminal, modelUrl: string | undefined, wanted: readonly Arm[]): Promise<EvalDemo> {
  await using building = new AsyncDisposableStack()
  const dir = makeTemporary('eval-demo')
  building.defer(() => rmSync(dir, { recursive: true, force: true }))
  // Nothing but the demo needs the stand-ins and what they are made of.
  const [{ startEvalWorld }, { CHARACTERS }] = await Promise.all([
    import('../../../demo/eval-world.ts'),
    import('../../../demo/characters/characters.ts'),
  ])
  const local = wanted.flatMap(({ model }) => (model?.provider === 'local' ? [model.name] : []))
  const world = building.use(
    await startEvalWorld({
      dir,
      jobsDir: JOBS_DIR,
      config: modelUrl === undefined ? {} : { providers: { local: { api: 'chat', baseUrl: modelUrl } } },
      prices: Object.fromEntries(local.map((name) => [name, FREE])),
    }),
  )
  terminal.signal.throwIfAborted()
  const config = loadConfig({ file: world.configFile, env: {} })
  const arms = Object.keys(CHARACTERS).map((name): Arm => ({ name: `model=${name}`, model: { provider: undefined, name } }))
  const stack = building.move()
  return { config, job: 'labor-report', arms, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
