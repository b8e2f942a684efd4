import { fieldsIn, listIn, textIn, type Fields } from '../foreign.ts'

// A request as it is changed where a server does not take all of it.

export const messagesIn = (body: object): readonly Fields[] => listIn(fieldsIn(body)['messages'])

/** The request with other blocks; a message without any is left out. */
export const withBlocks = (body: object, change: (block: Fields) => Fields[]): object => ({
  ...body,
  messages: messagesIn(body).flatMap((message) => {
    const { content } = message
    if (!Array.isArray(content)) return [message]
    const blocks = listIn(content).flatMap(change)
    return blocks.length > 0 ? [{ ...message, content: blocks }] : []
  }),
})

const hasImage = ({ content }: Fields): boolean => listIn(content).some(({ type }) => type === 'image')

/** Whether a request has images of results. */
export const hasImages = (body: object): boolean => messagesIn(body).some(({ content }) => listIn(content).some(hasImage))

/** The request with words in their place. */
export const withoutImages = (body: object, say: (mediaType: string) => string): object =>
  withBlocks(body, (block) => {
    if (!hasImage(block)) return [block]
    const words = listIn(block['content']).map((part) =>
      part['type'] === 'image' ? say(textIn(fieldsIn(part['source'])['media_type']) ?? '') : (textIn(part['text']) ?? ''),
    )
    return [{ ...block, content: words.join('\n') }]
  })
