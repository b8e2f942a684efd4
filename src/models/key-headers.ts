// Which header a provider's key stands in.

const AZURE = /\.azure\.(?:com|us|cn)$/

/** Azure has a header of its own for keys, and takes what comes as a bearer's for a token of Entra. */
export const isOfAzure = (baseUrl: string | undefined): boolean => baseUrl !== undefined && AZURE.test(new URL(baseUrl).hostname)

/** A token of Entra is a bearer's there as well. */
const isToken = (key: string): boolean => key.startsWith('eyJ')

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

/** With the APIs of OpenAI. */
export const openAiKey = (key: string, isAzure: boolean): Record<string, string> =>
  isAzure && !isToken(key) ? { 'api-key': key } : bearer(key)

/** With that of Anthropic, which takes the key as its client sends it; other servers look for either. */
export function anthropicKey(key: string, baseUrl: string | undefined): Record<string, string> {
  if (baseUrl === undefined || (isOfAzure(baseUrl) && isToken(key))) return bearer(key)
  return { 'x-api-key': key, ...(!isOfAzure(baseUrl) && bearer(key)) }
}
