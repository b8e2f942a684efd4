import type { z } from 'zod'

/** Of a secret that is given as text or as a file: a fault unless exactly one of the two keys is there. `example` is the line to write where none is, up to the name of the file. */
export const textOrFile =
  (key: string, fileKey: string, example: string) =>
  (value: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void => {
    const [isText, isFile] = [value[key] !== undefined, value[fileKey] !== undefined]
    if (isText !== isFile) return
    context.addIssue({
      code: 'custom',
      message: isText
        ? `has both ${key} and ${fileKey}; keep one`
        : `has neither ${key} nor ${fileKey}; write ${example}, or ${fileKey}: PATH`,
    })
  }
