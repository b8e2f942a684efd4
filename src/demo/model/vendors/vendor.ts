import type OpenAI from 'openai'
import type { Item } from './request.ts'

export type Api = 'responses' | 'chat'

/** Why a request is refused, as this vendor says it. */
export interface Refusal {
  status: number
  body: unknown
}

/** What one vendor's servers are known to insist on, and what they put into their answers. One object for each server: rules remember what it said. */
export interface Vendor {
  /** The header of the key, where it is no bearer’s token. */
  keyHeader?: string
  /** What it wants in the address of each request; a request without it finds nothing. */
  query?: string
  /** Undefined: the request is taken. */
  refuse(api: Api, body: Item): Refusal | undefined
  /** Adds what this vendor's models say beside the answer. */
  dressResponse(answer: OpenAI.Responses.Response, body: Item): OpenAI.Responses.Response
  dressCompletion(answer: OpenAI.Chat.ChatCompletion): OpenAI.Chat.ChatCompletion
}

/** A vendor that insists on nothing and adds nothing. */
export const plain: Vendor = {
  refuse: () => undefined,
  dressResponse: (answer) => answer,
  dressCompletion: (answer) => answer,
}

/** HTTP 400 in OpenAI's shape. */
export const badRequest = (
  message: string,
  { param = null, code = null }: { param?: string | null; code?: string | null } = {},
): Refusal => ({
  status: 400,
  body: { error: { message, type: 'invalid_request_error', param, code } },
})
