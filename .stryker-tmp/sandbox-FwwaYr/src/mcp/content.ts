// @ts-nocheck
import { z } from 'zod'

/** A tool's answer, read as tolerantly as it can be: one strange block does not cost the others. */
export const callResultSchema = z.looseObject({
  content: z.array(z.unknown()).nullish(),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().nullish(),
})

export type CallResult = z.output<typeof callResultSchema>

const textBlock = z.looseObject({ type: z.literal('text'), text: z.string() })
const binaryBlock = z.looseObject({ type: z.enum(['image', 'audio']), data: z.string().optional(), mimeType: z.string().optional() })
const linkBlock = z.looseObject({
  type: z.literal('resource_link'),
  uri: z.string(),
  name: z.string().optional(),
  mimeType: z.string().optional(),
})
const resourceBlock = z.looseObject({
  type: z.literal('resource'),
  resource: z.looseObject({ uri: z.string(), text: z.string().optional(), blob: z.string().optional(), mimeType: z.string().optional() }),
})

function blockText(block: unknown): string {
  const text = textBlock.safeParse(block)
  if (text.success) return text.data.text
  const binary = binaryBlock.safeParse(block)
  if (binary.success)
    return `[${binary.data.type} ${binary.data.mimeType ?? 'of unknown type'}, ${base64Bytes(binary.data.data)} bytes, not shown]`
  const link = linkBlock.safeParse(block)
  if (link.success) return `[link ${link.data.name === undefined ? '' : `${link.data.name} `}${link.data.uri}, not fetched]`
  const resource = resourceBlock.safeParse(block)
  if (resource.success)
    return (
      resource.data.resource.text ??
      `[resource ${resource.data.resource.uri}, ${base64Bytes(resource.data.resource.blob)} bytes, not shown]`
    )
  return '[a block of a kind this client does not know]'
}

const base64Bytes = (data: string | undefined) => Buffer.byteLength(data ?? '', 'base64')

const isText = (block: unknown) => {
  const text = textBlock.safeParse(block).data?.text ?? resourceBlock.safeParse(block).data?.resource.text ?? ''
  return text !== ''
}

/** What the model reads of an answer. Structured content usually repeats the text, so one of them is sent: the text when there is any. */
export function resultText({ content, structuredContent: structured }: CallResult): string {
  const blocks = content ?? []
  const isTold = structured === undefined || structured === null || blocks.some(isText)
  const lines = [...blocks.map(blockText), ...(isTold ? [] : [JSON.stringify(structured)])]
  return lines.join('\n')
}
