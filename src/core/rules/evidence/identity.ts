import type { KeptImage, KeptText } from '../../run.ts'

/**
 * What tells a result from others. Not what is shown of it: of a large one that names the result itself, and may leave out all that differs; and of images it says their sizes
 * alone.
 */
export const identityOf = ({ text, kept, images = [] }: Identified): string =>
  [kept?.digest ?? text, ...images.map(({ digest }) => digest)].join('\n')

interface Identified {
  text: string
  kept?: Pick<KeptText, 'digest'> | undefined
  images?: readonly Pick<KeptImage, 'digest'>[] | undefined
}
