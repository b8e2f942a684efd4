import { z } from 'zod'

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/

/** A name in the configuration or of a job: it is used in file names, URLs and metric labels. */
export const nameText = z.string().regex(NAME, { error: ({ input }) => `is not a name; ${cureOf(String(input))}` })

/** The name of something in a section of the configuration. */
export const nameUnder = (section: string) =>
  z
    .string({
      error: ({ input }) => (input === undefined || input === null ? `must be a name under ${section}: in the configuration` : undefined),
    })
    .regex(NAME, {
      error: ({ input }) =>
        isAddress(String(input))
          ? `is an address; write the name that it has under ${section}: in the configuration`
          : `is not a name; ${cureOf(String(input))}`,
    })

/** An address stands where its name belongs. It may hold a secret, and is not shown. */
export const isAddress = (text: string): boolean => /^\w{1,20}:\/\//.test(text)

function cureOf(text: string): string {
  if (/^\$\{?\w{0,100}\}?$/.test(text)) return 'variables are read in the configuration alone: write the name itself'
  if (/ (?:\/\/|--)/.test(text)) return 'a comment begins with # and a space before it'
  if (/[\p{Cf}\u00a0]/u.test(text)) return 'it has a sign that is not seen, such as one of no width: write it anew'
  return 'use up to 63 letters, digits, dots, dashes and underscores'
}
