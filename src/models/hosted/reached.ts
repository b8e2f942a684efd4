import type { Reached } from '../provider.ts'

// Whether a provider goes to MCP servers: it is handed one with a token that the gateway refuses, and a tool that there is not.

/** In place of a token, and of a tool: there is neither. */
export const NOBODY = 'Pomerium-nightshift-doctor'
export const NO_TOOL = 'nightshift_doctor_probe'
export const QUESTION = 'Say ok. Call no tool.'

/** Words for an answer of the gateway that refuses a token. */
const REFUSED = /\b40[13]\b|unauthori[sz]ed|authenticat|authori[sz]ation token|forbidden/i

export interface ProbedServer {
  label: string
  url: string
}

/** What is said without the names of the server, which may be words for anything. */
export const withoutNames = (said: string, { label, url }: ProbedServer): string =>
  said
    .replaceAll(url, '')
    .replaceAll(new URL(url).host, '')
    .split(/\b/)
    .filter((word) => word !== label)
    .join('')

/** What an error of the server means: the gateway refused the token, as it should, or it was not reached. */
export const reachedBy = (said: string, server: ProbedServer): Reached =>
  REFUSED.test(withoutNames(said, server)) ? { kind: 'refused' } : { kind: 'not-reached', said }
