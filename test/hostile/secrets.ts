import { aTool, initializeResult, textResult } from '../support/mcp/scripted-server.ts'
import { JSON_TYPE, type Attack } from './attack.ts'
import { saying } from './models.ts'

/** Secrets that are sent to a server or to a provider, which gives them away. */
export interface Canaries {
  /** The account's token. */
  token: string
  modelKey: string
}

/** A token of Pomerium as nobody has it; its shape alone says what it is. */
const SHAPED = 'pom_mat_abcdefghijkl0123'

/** What no place may hold: the token, the parts of it that are secret, the key, and what has the shape of a token. */
export const canaryTexts = ({ token, modelKey }: Canaries): string[] => [...token.split('.').slice(1), modelKey, SHAPED]

/** Each of them in every field of every kind of answer. */
export function secretAttacks({ token, modelKey }: Canaries): Attack[] {
  const part = token.split('.')[1] ?? ''
  const planted = `token ${token} and Pomerium-${token} and ${SHAPED} and ${part} and ${modelKey}`
  return [
    {
      name: 'a secret in a result',
      on: { 'tools/call': (seen) => seen.result({ ...textResult(planted), structuredContent: { [planted]: planted } }) },
      says: planted,
      expected: 'succeeded',
    },
    {
      name: 'a secret in an error',
      on: { 'tools/call': (seen) => seen.json({ jsonrpc: '2.0', id: seen.id, error: { code: 1, message: planted, data: { planted } } }) },
      expected: 'succeeded',
    },
    {
      name: 'a secret in the definition of a tool',
      on: {
        'tools/list': (seen) =>
          seen.result({
            tools: [
              aTool('act', {
                title: planted,
                description: planted,
                inputSchema: { type: 'object', properties: { n: { description: planted, enum: [planted] } } },
              }),
            ],
          }),
      },
      expected: 'succeeded',
    },
    {
      name: 'a secret in what the server says of itself',
      on: {
        initialize: (seen) =>
          seen.result({ ...initializeResult, serverInfo: { name: planted, version: planted, title: planted }, instructions: planted }),
      },
      expected: 'succeeded',
    },
    {
      name: 'a secret in a refusal and in the id of a request',
      on: {
        'tools/call': ({ res }) =>
          void res.writeHead(500, { 'x-request-id': part.slice(0, 200), ...JSON_TYPE }).end(JSON.stringify({ planted })),
      },
      expected: 'failed OUTCOME_UNKNOWN',
    },
    { name: 'a secret in an answer of the model', model: saying(planted), expected: 'succeeded' },
    {
      name: 'a secret in an error of the model',
      model: (_, res) =>
        void res
          .writeHead(400, JSON_TYPE)
          .end(JSON.stringify({ error: { message: planted, type: planted, param: planted, code: planted } })),
      expected: 'failed MODEL_REJECTED',
    },
  ]
}
