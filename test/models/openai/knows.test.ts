import { expect, test } from 'vitest'
import { openProvider } from '../../support/model/provider.ts'

const lists: [what: string, status: number, type: string, body: string, knows: unknown][] = [
  ['that has it', 200, 'application/json', '{"object":"list","data":[{"id":"m"}]}', true],
  ['that has it under a prefix', 200, 'application/json', '{"data":[{"id":"models/m"}]}', true],
  ['without it', 200, 'application/json', '{"data":[{"id":"other"},null,{"id":7}]}', false],
  ['that is none', 200, 'application/json', '{"models":["m"]}', undefined],
  ['that is not there', 404, 'application/json', '{"error":{"message":"no such route"}}', undefined],
  ['that is a web page', 200, 'text/html', '<html>Sign in</html>', 'MODEL_UNAVAILABLE'],
  ['in place of which an error stands', 200, 'application/json', '{"error":{"code":"invalid_api_key"}}', 'MODEL_AUTH'],
]

test.each(lists)('of a list of models %s', async (_, status, type, body, knows) => {
  await using opened = await openProvider({ way: 'chat', stream: false }, (res) =>
    res.writeHead(status, { 'content-type': type }).end(body),
  )
  expect(await opened.knows('m')).toEqual(knows)
})
