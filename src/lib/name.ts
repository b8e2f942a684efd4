import { z } from 'zod'

/** A name in the configuration or of a job: it is used in file names, URLs and metric labels. */
export const nameText = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, { error: ({ input }) => `is not a name; ${cureOf(String(input))}` })

function cureOf(text: string): string {
  if (/^\$\{?\w{0,100}\}?$/.test(text)) return 'variables are read in the configuration alone: write the name itself'
  if (/ (?:\/\/|--)/.test(text)) return 'a comment begins with # and a space before it'
  if (/[\p{Cf}\u00a0]/u.test(text)) return 'it has a sign that is not seen, such as one of no width: write it anew'
  return 'use up to 63 letters, digits, dots, dashes and underscores'
}
