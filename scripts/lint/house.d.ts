export const ROOMS: readonly { room: string; purpose: string; imports: string[] }[]
/** Files that read JSON by themselves, each with whose text it is. */
export const OWN_JSON: Readonly<Record<string, string>>
