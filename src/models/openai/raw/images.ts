// Images of tool results. The Responses API takes them in the result; in Chat a result is text alone, so that they stand in a message after the results.
import { imageNotRead } from '../../../core/words/results.ts'
import type { ToldImage, ToldResult } from '../../model.ts'
import { fieldsIn, listIn, textIn, type Fields } from '../../foreign.ts'

const urlOf = ({ mediaType, data }: ToldImage) => `data:${mediaType};base64,${data}`

/** The output of a call: its text, or that with its images. */
export const outputOf = ({ text, images = [] }: ToldResult) =>
  images.length === 0
    ? text
    : [{ type: 'input_text', text }, ...images.map((one) => ({ type: 'input_image', image_url: urlOf(one), detail: 'auto' }))]

/** The message with the images of the results before it; none where they have none. */
export function imageMessages(results: readonly ToldResult[]) {
  const parts = results.flatMap(({ id, images = [] }) =>
    images.length === 0
      ? []
      : [
          { type: 'text', text: `[images of result ${id ?? ''}]` },
          ...images.map((one) => ({ type: 'image_url', image_url: { url: urlOf(one) } })),
        ],
  )
  return parts.length === 0 ? [] : [{ role: 'user', content: parts }]
}

const mediaTypeOf = (url: unknown) => /^data:([\w/+.-]{1,40});/.exec(textIn(url)?.slice(0, 60) ?? '')?.[1] ?? ''

const hasParts = (value: unknown, type: string) => Array.isArray(value) && listIn(value).some((part) => part['type'] === type)
const isImageItem = ({ type, output }: Fields) => type === 'function_call_output' && hasParts(output, 'input_image')
const isImageMessage = ({ role, content }: Fields) => role === 'user' && hasParts(content, 'image_url')

const partsOf = (body: object) =>
  [fieldsIn(body)['input'], fieldsIn(body)['messages']].flatMap((one) => (Array.isArray(one) ? listIn(one) : []))

/** Whether a request has images of results. */
export const hasImages = (body: object): boolean => partsOf(body).some((one) => isImageItem(one) || isImageMessage(one))

/** The request with words in their place. */
export function withoutImages(body: object, say = imageNotRead): object {
  const said = (url: unknown) => say(mediaTypeOf(url))
  const { input, messages } = fieldsIn(body)
  if (Array.isArray(input))
    return { ...body, input: listIn(input).map((item) => (isImageItem(item) ? { ...item, output: wordsOf(item, said) } : item)) }
  const kept: Fields[] = []
  for (const message of listIn(messages)) {
    const before = kept.at(-1)
    if (!isImageMessage(message) || !before) kept.push(message)
    else {
      const words = listIn(message['content']).flatMap((part) =>
        part['type'] === 'image_url' ? [said(fieldsIn(part['image_url'])['url'])] : [],
      )
      kept[kept.length - 1] = { ...before, content: [textIn(before['content']) ?? '', ...words].join('\n') }
    }
  }
  return { ...body, messages: kept }
}

const wordsOf = ({ output }: Fields, said: (url: unknown) => string): string =>
  listIn(output)
    .map((part) => (part['type'] === 'input_image' ? said(part['image_url']) : (textIn(part['text']) ?? '')))
    .join('\n')
