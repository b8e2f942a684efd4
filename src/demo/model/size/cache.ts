/** As OpenAI publishes it: what is shorter is not kept, and what is found is counted in steps. */
const LEAST_TOKENS = 1024
const STEP_TOKENS = 128
const CHARACTERS = 4
/** Requests that are remembered for each model and key. */
const MOST_KEPT = 50

/** Remembers how requests began, as a provider does that charges less for what it has seen. */
export function createPrefixCache() {
  const kept = new Map<string, string[]>()
  return {
    /** How many tokens at the beginning of a request were seen before; it is remembered from now on. */
    look(key: string, parts: readonly string[]): number {
      const text = parts.join('\n')
      const known = kept.get(key) ?? []
      const common = Math.max(0, ...known.map((one) => commonLength(one, text)))
      kept.set(key, [...known, text].slice(-MOST_KEPT))
      const tokens = Math.floor(common / CHARACTERS / STEP_TOKENS) * STEP_TOKENS
      return tokens < LEAST_TOKENS ? 0 : tokens
    },
  }
}

/** How many characters two texts begin with alike. By halves: to compare pieces is quicker than to compare characters. */
function commonLength(a: string, b: string): number {
  let [low, high] = [0, Math.min(a.length, b.length)]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (a.slice(low, middle) === b.slice(low, middle)) low = middle
    else high = middle - 1
  }
  return low
}
