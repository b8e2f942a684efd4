import type { Exchange, ModelRequest, ToldResult } from '../../models/model.ts'
import type { ModelTool } from '../../core/ports/toolbox.ts'

/** What an image counts as, whatever its bytes are: providers count its pixels. */
const IMAGE = 'x'.repeat(4000)

const withoutImages = (key: string, value: unknown): unknown => (key === 'data' && typeof value === 'string' ? IMAGE : value)

/** Measures each value once, as JSON. */
function measured<T extends object>(jsonOf: (value: T) => string): (value: T) => number {
  const known = new WeakMap<T, number>()
  return (value) => {
    const found = known.get(value)
    if (found !== undefined) return found
    const bytes = Buffer.byteLength(jsonOf(value))
    known.set(value, bytes)
    return bytes
  }
}

const toolsBytes = measured((tools: readonly ModelTool[]) => JSON.stringify(tools))
const plainBytes = measured((one: Exchange) => JSON.stringify(one))
const imagesBytes = measured((one: Exchange) => JSON.stringify(one, withoutImages))

const showsImages = ({ results }: Exchange) => results.some(({ images }) => images !== undefined)

/** It has what is counted by its pixels. */
export const hasImages = ({ exchanges }: Pick<ModelRequest, 'exchanges'>): boolean => exchanges.some(showsImages)

/** Bytes of an exchange as JSON. What is measured must not change. */
export const exchangeSize = (one: Exchange): number => (showsImages(one) ? imagesBytes(one) : plainBytes(one))

/** Bytes of a result as JSON, as it counts in its exchange. */
export const resultSize = (result: ToldResult): number => Buffer.byteLength(JSON.stringify(result, result.images && withoutImages))

/** Bytes of a request as JSON. Only what was not measured before is looked at. */
export function requestSize({ exchanges, tools, ...rest }: ModelRequest): number {
  const fixed = Buffer.byteLength(JSON.stringify({ ...rest, exchanges: [], tools: [] }))
  const listed = exchanges.reduce((sum, one) => sum + exchangeSize(one) + 1, 0)
  return fixed + toolsBytes(tools) - 2 + Math.max(0, listed - 1)
}
