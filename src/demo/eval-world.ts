import { CHARACTERS } from './characters/characters.ts'
import { startArchiveServer } from './servers/archive.ts'
import { startEverythingServer } from './servers/everything.ts'
import { DOMAIN, startWorld, type World, type WorldOptions } from './world.ts'

const REQUEST_BYTES = 1_048_576
const PRICE = { input: 0.25, cachedInput: 0.025, output: 2 }

/** What the shipped cases run against: the demo's servers, one with the faults that servers have, one whose tool policy denies, and the characters as models. */
export async function startEvalWorld(
  options: Pick<WorldOptions, 'dir' | 'jobsDir' | 'config' | 'api' | 'background'> &
    Partial<Pick<WorldOptions, 'scripts'>> & { prices?: Record<string, unknown> },
): Promise<World> {
  await using building = new AsyncDisposableStack()
  const archive = building.use(await startArchiveServer())
  const guarded = building.use(await startEverythingServer())
  const route = (name: string, description: string, to: string, denyTool?: string) => ({
    name,
    description,
    from: `https://${name}.${DOMAIN}`,
    to,
    kind: 'mcp-server' as const,
    path: '/mcp',
    maxRequestBytes: REQUEST_BYTES,
    policy: { allowUsers: ['svc-reports'], ...(denyTool !== undefined && { denyTool }) },
  })
  const world = building.use(
    await startWorld({
      ...options,
      config: {
        prices: { ...Object.fromEntries(Object.keys(CHARACTERS).map((name) => [name, PRICE])), ...options.prices },
        ...options.config,
      },
      scripts: options.scripts ?? {},
      characters: CHARACTERS,
      routes: [route('archive', 'Old data, with its moods', archive.url), route('guarded', 'Sums, for some', guarded.url, 'get-sum')],
    }),
  )
  const stack = building.move()
  return { ...world, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
