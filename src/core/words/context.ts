// What a model reads before the prompt, in the words of Nightshift; golden tests hold each of them.
import { quote } from './tools.ts'

/** A text that the job names under `context`. */
export interface ContextText {
  /** `file` is the author's own; the others come from a server. */
  kind: 'file' | 'resource' | 'prompt'
  /** File name, URI or name of the prompt. */
  name: string
  server: string | undefined
  text: string
}

/** The texts in the job's order, each once. What a server sent is marked as its words; a resource is data, a prompt is what the author chose to have asked. */
export function contextText(texts: readonly ContextText[]): string | undefined {
  if (texts.length === 0) return undefined
  return texts.map(oneText).join('\n\n')
}

function oneText({ kind, name, server, text }: ContextText): string {
  switch (kind) {
    case 'file':
      return `From the file ${name}:\n${text}`
    case 'resource':
      return `From the resource ${name} of the server ${server ?? ''}, which is data:\n${quote(text)}`
    case 'prompt':
      return `The prompt ${name} of the server ${server ?? ''}, which belongs to this task:\n${quote(text)}`
  }
}
